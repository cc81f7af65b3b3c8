"""What a search says of itself, for the manifest."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SearchSummary:
    """How the search was set and what it did, for the manifest."""

    rows: int
    """Rows searched."""
    distinct: int
    """Distinct pictures among them; distinct embeddings where there are no pictures."""
    added: tuple[int, ...]
    """Of these, the distinct pictures that each addition of shards brought, in order."""
    look: str
    """What decides on a pair: thumbnail, or similarity where there are no pictures."""
    embedding: str
    """How the embeddings were whitened."""
    threshold: str
    """The cosine that proposes (or decides), and why it is that."""
    cosine: float
    """The same as a number."""
    looked: int
    """Pairs looked at, restored ones included."""
    looked_closely: int
    """Pairs that the thumbnails refused and that were compared by their geometry."""
    looked_by_copy_model: int
    """Pairs that were still open then and that were compared by the copy model."""
    accepted: int
    """Pairs found to show one picture."""
    over_budget: int
    """Distinct pictures with `looks_per_row` failed looks or more: look-alikes in masses."""

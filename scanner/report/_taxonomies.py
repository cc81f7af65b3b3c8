"""The frameworks that a finding is filed under, by their own names and numbers, once for every file that names them.

>>> [entry.id for entry in EXTRACTION]
['AML.T0024.001', 'LLM02:2025', 'MS-2.10-001']
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a framework."""

    framework: str
    """The framework's name."""
    version: str | None
    """Its edition; None of one that is amended as it goes."""
    id: str
    """The entry's own number."""
    name: str
    """What the framework calls it."""
    link: str
    """Where it is published."""


ATLAS = Entry(
    framework="MITRE ATLAS",
    version=None,
    id="AML.T0024.001",
    name="Exfiltration via AI Inference API: Invert AI Model",
    link="https://atlas.mitre.org/techniques/AML.T0024.001",
)
OWASP = Entry(
    framework="OWASP Top 10 for LLM Applications",
    version="2025",
    id="LLM02:2025",
    name="Sensitive Information Disclosure",
    link="https://genai.owasp.org/llmrisk/llm022025-sensitive-information-disclosure/",
)
NIST = Entry(
    framework="NIST AI 600-1",
    version="2024",
    id="MS-2.10-001",
    name="Red-teaming for the output of training data samples",
    link="https://doi.org/10.6028/NIST.AI.600-1",
)
NIST_DUPLICATES = Entry(
    framework="NIST AI 600-1",
    version="2024",
    id="MS-2.10-003",
    name="Verify de-duplication of training data samples",
    link="https://doi.org/10.6028/NIST.AI.600-1",
)
EDPB = Entry(
    framework="EDPB Opinion 28/2024",
    version="2024",
    id="section 3.2",
    name="On the circumstances under which AI models could be considered anonymous and the related demonstration",
    link="https://www.edpb.europa.eu/our-work-tools/our-documents/opinion-board-art-64/opinion-282024-certain-data-protection-aspects_en",
)

EXTRACTION = (ATLAS, OWASP, NIST)
"""What a training image that a model gave back is filed under."""
DUPLICATION = (NIST_DUPLICATES,)
"""What a group of copies, or a caption that is worth trying, is filed under."""

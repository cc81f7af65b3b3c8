"""What a network gives, brought to unit length, or refused where it is no direction.

>>> unit_rows("demo", np.array([[3.0, 4.0]], np.float32)).tolist()
[[0.6000000238418579, 0.800000011920929]]
"""

import numpy as np
from numpy.typing import NDArray

from scanner.errors import ScannerError


def unit_rows(model: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (n, width) of unit length. Raises ScannerError, which names the model, for a row that is not finite or has
    no length."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = int((~np.isfinite(lengths) | (lengths == 0)).sum())
    if bad:
        raise ScannerError(
            f"{model} gave {bad} of {len(rows)} embeddings that are not finite or have no length; check its weights."
        )
    return np.asarray(rows / lengths, dtype=np.float32)

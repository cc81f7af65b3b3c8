"""Where the images of a run lie: in its data set, or in the run itself where they were downloaded.

images_of(run)(file, offset, length)
"""

from pathlib import Path

from scanner.run import Run
from scanner.samples import Columns, DownloadFolder, StoredImages


def download_folder(run: Run) -> DownloadFolder:
    """Where the images of a list of URLs are downloaded to."""
    return DownloadFolder(path=Path(run.path / "download").absolute())


def images_of(run: Run) -> StoredImages:
    """The images that a run was made from."""
    if run.config.get("layout") == "urls":
        return StoredImages(str(download_folder(run).path))
    return StoredImages(run.config["dataset"], Columns(image=run.config.get("image_column")))

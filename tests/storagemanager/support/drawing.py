"""A storage with renditions for the tests, and pictures and documents to draw."""

import io
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from storagemanager import Kind, Owner, Renderer, RenditionSettings, StorageError, StorageManager, StorageSettings

OWNER = Owner(kind="customer", id=7, brand="alpha")


def saved(image: Image.Image, kind: str, **fields: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **fields)
    return buffer.getvalue()


def halves(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture whose upper half is red and whose lower half is blue."""
    image = Image.new("RGB", (width, height), (220, 10, 10))
    image.paste((10, 10, 220), (0, height // 2, width, height))
    return image.convert(mode)


def paged(count: int, size: tuple[float, float] = (200, 300)) -> bytes:
    pdf = pikepdf.new()
    for _ in range(count):
        pdf.add_blank_page(page_size=size)
    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


class Drawing:
    """A storage and its renditions."""

    def __init__(self, folder: Path, clock, **named) -> None:
        self.folder = folder
        self.storage = StorageManager(folder, StorageSettings(), clock, cipher=named.pop("cipher", None))
        self.settings = RenditionSettings(**named)
        self.renderer = Renderer(folder / "renditions", self.settings, self.storage)

    async def open(self) -> None:
        await self.storage.open()
        await self.renderer.open()

    async def close(self) -> None:
        await self.renderer.close()
        await self.storage.close()

    async def put(self, content: bytes, extension: str):
        upload = self.storage.receive(
            original_name=f"a.{extension}", declared_type="", owner=OWNER, purpose="", scope=0
        )
        await upload.write(content)
        return await upload.finish()

    async def drawn(self, content: bytes, extension: str, kind: Kind = Kind.VIEW, page: int = 1):
        return await self.renderer.get(await self.put(content, extension), kind, page)

    async def picture(self, content: bytes, extension: str, kind: Kind = Kind.VIEW, page: int = 1) -> Image.Image:
        rendition = await self.drawn(content, extension, kind, page)
        assert rendition.content_type == "image/jpeg"
        return Image.open(io.BytesIO(rendition.content), formats=("JPEG",))

    async def refusal(self, content: bytes, extension: str, kind: Kind = Kind.VIEW, page: int = 1):
        meta = await self.put(content, extension)
        with pytest.raises(StorageError) as caught:
            await self.renderer.get(meta, kind, page)
        return caught.value.code, caught.value.reason

    def kept(self) -> list[Path]:
        folder = self.folder / "renditions"
        return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
async def make_drawing(tmp_path: Path, clock):
    opened = []

    async def start(**named) -> Drawing:
        drawing = Drawing(tmp_path, clock, **named)
        opened.append(drawing)
        await drawing.open()
        return drawing

    yield start
    for drawing in opened:
        await drawing.close()


@pytest.fixture
async def drawing(make_drawing):
    return await make_drawing()

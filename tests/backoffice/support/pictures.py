"""Real pictures and PDFs for the viewer, made here."""

import io

from PIL import Image, ImageDraw


def _card(text: str, size: tuple[int, int] = (900, 560)) -> Image.Image:
    image = Image.new("RGB", size, (232, 238, 244))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline=(20, 60, 110), width=6)
    draw.rectangle((60, 120, 280, 420), fill=(150, 160, 175))
    draw.text((330, 120), text, fill=(10, 10, 30), font_size=48)
    for line in range(4):
        draw.line((330, 230 + line * 55, size[0] - 80, 230 + line * 55), fill=(120, 130, 150), width=5)
    return image


def jpeg(text: str = "Passport") -> bytes:
    buffer = io.BytesIO()
    _card(text).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def png(text: str = "Back") -> bytes:
    buffer = io.BytesIO()
    _card(text).save(buffer, "PNG")
    return buffer.getvalue()


def pdf(pages: int = 3) -> bytes:
    first, *others = [_card(f"Page {number + 1}", (620, 877)) for number in range(pages)]
    buffer = io.BytesIO()
    first.save(buffer, "PDF", save_all=True, append_images=others)
    return buffer.getvalue()

"""Refusing must not hurt: good files of others are accepted; `make acceptance` asks of a thousand."""

from pathlib import Path

import accept
import good_files
import pytest

SAMPLE = Path(__file__).parent / "sample"
FILES = sorted(path for path in SAMPLE.iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_sample_is_good(path):
    assert good_files.is_good(path, SAMPLE)


async def test_good_files_are_accepted(tmp_path):
    outcomes = await accept.judged(FILES, tmp_path)
    assert {outcome.path.name: outcome.refused for outcome in outcomes if outcome.refused} == {}
    assert {outcome.kind for outcome in outcomes} >= {"jpg", "png", "gif", "webp", "tif", "ico", "heic", "pdf"}


def test_every_file_of_the_sample_has_a_licence():
    told = (SAMPLE / "LICENCES.md").read_text("utf-8")
    assert [path.name for path in FILES if path.name not in told and not path.name.startswith("hopper")] == []


async def test_what_is_refused_is_told_with_its_reason(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    for name in ("hopper.jpg", "congress-gray.pdf"):
        (tmp_path / "a" / name).write_bytes((SAMPLE / name).read_bytes())
    (tmp_path / "a" / "cut.jpg").write_bytes((SAMPLE / "hopper.jpg").read_bytes()[:3000])
    (tmp_path / "a" / "broken.jpg").write_bytes((SAMPLE / "hopper.jpg").read_bytes())
    (tmp_path / "a" / "note.txt").write_bytes(b"no picture")
    paths = list(accept.good_files(tmp_path / "a"))
    assert [path.name for path in paths] == ["congress-gray.pdf", "hopper.jpg"]
    outcomes = await accept.judged([*paths, tmp_path / "a" / "cut.jpg"], tmp_path / "data")
    assert not accept.report(outcomes, tmp_path)
    said = capsys.readouterr().out
    assert "refused: a/cut.jpg: the JPEG is cut off" in said
    assert "pictures: 1 of 2 good ones accepted, 50.00 %" in said
    assert "PDFs: 1 of 1 good ones accepted, 100.00 %" in said

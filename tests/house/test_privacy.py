"""Nothing that is handed out names the machine it was made on."""

import re

from house_tree import ROOT, place

# spelt apart, so that this file does not hold them
FORBIDDEN = [
    (
        "a folder of a machine",
        re.compile(rb"(?<![\w.$})-])/(?:wo" + rb"rk|ro" + rb"ot|ho" + rb"me/[a-z]|Us" + rb"ers)/"),
    ),
    ("the folder beside", re.compile(rb"\.\./sha" + rb"red\b|\bsha" + rb"red/(?:spec|design)\b")),
    (
        "a package registry",
        re.compile(rb"pyp" + rb"i\.org|pythonhos" + rb"ted|--(?:extra-)?ind" + rb"ex-url|--find-" + rb"links [a-z/$]"),
    ),
    ("an address on this machine", re.compile(rb"fi" + rb"le:///(?!etc/passwd)")),
]


def test_no_file_names_the_machine_it_was_made_on(tracked):
    found = []
    for path in tracked:
        content = path.read_bytes()
        for what, pattern in FORBIDDEN:
            for match in pattern.finditer(content):
                line = content.count(b"\n", 0, match.start()) + 1
                found.append(f"{place(path, line)}: {what}: {match[0].decode('utf-8', 'replace')}")
    assert found == []


def test_lock_files_hold_versions_and_hashes_only():
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert [lock.name for lock in locks] == ["bench.txt", "dev.txt", "run.txt"]
    entry = re.compile(
        r"(?:#.*"
        r"|[a-z0-9-]+(?:\[[a-z,]+\])?==[A-Za-z0-9.+!]+(?: ; [^\\]+)? \\"
        r"|    --hash=sha256:[0-9a-f]{64}(?: \\)?)"
    )
    odd = [
        place(lock, number)
        for lock in locks
        for number, line in enumerate(lock.read_text("utf-8").splitlines(), 1)
        if not entry.fullmatch(line)
    ]
    assert odd == []


def test_every_dependency_is_locked():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for lock, wanted in {
        "run": project["dependencies"] + extras["build"],
        "dev": project["dependencies"] + extras["build"] + extras["dev"],
        "bench": project["dependencies"] + extras["build"] + extras["dev"] + extras["bench"],
    }.items():
        pinned = set(
            re.findall(r"^([a-z0-9-]+)==", (ROOT / f"requirements/{lock}.txt").read_text("utf-8"), re.MULTILINE)
        )
        names = {re.match(r"[A-Za-z0-9-]+", each)[0].lower() for each in wanted}
        assert names <= pinned, f"run make lock: {sorted(names - pinned)}"
        assert all(">=" in each for each in wanted), "a dependency without a lower bound"

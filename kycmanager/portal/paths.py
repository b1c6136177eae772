"""Where the pages of customers stand."""

PREFIX = "/portal"
HOME = f"{PREFIX}/"
SIGN_IN = f"{PREFIX}/sign-in"
LINKS = f"{PREFIX}/link"
STEPS = f"{PREFIX}/steps"
FILES = f"{PREFIX}/files"


def step_path(step_id: int) -> str:
    """Return where a step stands."""
    return f"{STEPS}/{step_id}"


def own_page(path: str) -> str:
    """Return where to go back to: a page of ours, whatever a link says."""
    is_ours = path.startswith(HOME) and path.isascii() and path.isprintable()
    return path if is_ours and ".." not in path and "\\" not in path and "//" not in path else HOME

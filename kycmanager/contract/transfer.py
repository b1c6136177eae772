"""The chapters of the reference on files over HTTP: uploading, downloading, and what bounds both."""

from kycmanager.contract.doors import DOWNLOAD_CODES, RENDITION_CODES, SIDES, UPLOAD_CODES
from kycmanager.domain.enums import SessionType
from kycmanager.domain.errors import Code
from kycmanager.domain.session import DECIDERS

RATE = "1 KB/s"
GRACE_SECONDS = 10
PURPOSE_CHARS_MAX = 64
HEAD_LINE_BYTES_MAX = 8190
TOKEN_BYTES_MAX = 8192


def _names(sessions: frozenset[SessionType]) -> list[str]:
    return sorted(session.name for session in sessions)


_UPLOAD = f"""## Files

### POST /upload

For any valid token. As a form:

```sh
curl -H 'Authorization: <jwt>' -F purpose=kyc -F brand=acme -F 'file=@passport.pdf' http://localhost:7480/upload
```

or, faster, the bytes as the body, the other fields in the query:

```sh
curl -H 'Authorization: <jwt>' -H 'Content-Disposition: attachment; filename="passport.pdf"' \\
  --data-binary @passport.pdf 'http://localhost:7480/upload?purpose=kyc&brand=acme'
```

| Part or query field | Meaning |
| --- | --- |
| file | The file (part only); its part names it |
| purpose | What it is for, kept as data; at most {PURPOSE_CHARS_MAX} characters |
| brand | That of a manager's upload; not needed when the token has exactly one; a customer has that of its token |
| scope | 0 to 3; 3 publishes the file: for managers, and where `storage.public_scope` allows it |

Parts may come in any order; what stands before the file is judged before the file is read. A part stands above a query
field of the same name. The size (`storage.file_bytes_max`), the extension (`storage.extensions`), the real signature
and the structure of the content are checked, and that extension and signature agree. An upload that after
{GRACE_SECONDS} seconds has come at less than {RATE} on average is refused and its connection closed.
`Content-Encoding` is refused.

Images, PDFs and Office documents are decoded as a whole besides, in a process of its own with bounds
(`inspection` in the settings); what cannot be decoded, or takes more, is refused. What a viewer would run, fetch or
unpack is looked for: JavaScript, launch actions, actions without a click, forms that send, XFA, embedded files,
encryption, sound and film in PDFs; macros, ActiveX, embedded objects, outside templates and data in Office documents.
The brand's `inspection.active_content` says what becomes of such a file: `refuse` answers 400 `RET_INVALID_DATA` with
the code `active_content`; `quarantine` keeps it, to be attached like any other, but nobody can fetch it except
{", ".join(_names(DECIDERS))} until `MngDecideKycFile` releases it, and its document cannot be approved before;
`accept` keeps it. Managers are told by `file_state` and `findings`, in the answer and by `MngGetKycFile`.

Where the settings name a malware scanner (`malware.address`), a file it finds something in is 400 `RET_INVALID_DATA`
with the code `malware` in `data.errors`, a file it gives no clear answer about is 503 `OVERLOADED`; neither is kept.

Quotas (`quotas` in the settings) bound the files and bytes of a customer and of a brand, whose managers' uploads count
for the brand alone: over one the answer is 413 `QUOTA_EXCEEDED`. They bound the uploads one caller begins in an hour of
the clock too: over that it is 429 `RET_TOO_FREQUENT`. `data` is `{{quota, used, limit}}`; of a brand's quota a customer
is told the name only. Room is reserved when an upload begins and given back when it fails.

The answer names the file by `file_id`, which documents and answers refer to. Attach it within
`storage.unattached_hours`: after that an unattached file is removed.

"""

_DOWNLOAD = """### GET, HEAD /storage/{name}

`name` is the `file_id`, with or without the extension. For a manager of its brand, and for the customer who uploaded
it; a manager's upload is not shown to customers. `Range` (one range), `If-Range`, `If-None-Match` and `ETag` are
honoured. It comes as an attachment, never to be run or kept by a browser (`nosniff`, sandbox, `no-store`). Its content
is hashed again before it is sent, unless that was done lately: a damaged or missing file is 500 `RET_ERROR`, and the
log names it. A file that is held back is 409 `INVALID_STATE`.

"""

_KINDS = ", ".join(f"`{kind}` {side:,}" for kind, side in SIDES.items())

_RENDITION = f"""### GET, HEAD /storage/{{name}}/rendition

What a browser may be shown of a file, for whoever may read it: a picture drawn anew from the pixels of the original,
upright and without its metadata, or an escaped text. Nothing of the original's bytes is in it. It comes inline, with
`nosniff`, a sandbox and `no-store`; the original is what `/storage/{{name}}` gives, with its hash.

| Query field | Meaning |
| --- | --- |
| kind | The longer side in pixels, at most: {_KINDS}; `view` when left out |
| page | From 1, 1 when left out; the header `X-Page-Count` tells how many there are |

| Files | Rendition |
| --- | --- |
| png, jpg, jpeg, gif, webp, ico, heic, tif, tiff | `image/jpeg`; pages of a TIFF, else the first image |
| pdf | `image/jpeg`, page by page, with what is filled into its forms |
| txt, csv | `text/plain` in UTF-8, page by page, `<`, `>` and `&` written as in HTML; no `thumb` |
| all others | none: 404 |

It is made when it is first asked for and kept for a while. A file that is held back has none. No such page, or no
rendition of that type of file, is 404 `RET_NOT_FOUND` with the reason; a file that cannot be drawn within the bounds of
time and memory is 400 `RET_INVALID_DATA`: download the original.

"""

_REST = f"""Deleting a document keeps its row and its file: both are part of the proof, and the file can still be read.

### Bounds of HTTP

The request line and each header have at most {HEAD_LINE_BYTES_MAX:,} bytes, and so has a token over HTTP with its
header's name; over TCP a token has at most {TOKEN_BYTES_MAX:,}. A JSON body has at most `rest.body_bytes_max` bytes.
"""


def files() -> str:
    """Return the chapter on files."""
    return (
        _UPLOAD
        + _errors(UPLOAD_CODES)
        + _DOWNLOAD
        + _errors(DOWNLOAD_CODES)
        + _RENDITION
        + _errors(RENDITION_CODES)
        + _REST
    )


def _errors(codes: tuple[Code, ...]) -> str:
    return f"Errors: {', '.join(f'{code.status} `{code.wire_name}`' for code in codes)}.\n\n"

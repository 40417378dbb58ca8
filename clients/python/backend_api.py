"""Client of EdgeCare for the ECG app: uploads reports, and keeps them in a queue on disk until the service has them.

    from utils.backend_api import BackendAPI

    backend = BackendAPI()
    backend.login(username, password)
    backend.upload_report(file_path, metadata)

Python 3.8 or newer, standard library only. README.md, section "Python client", documents it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import email.utils
import getpass
import hashlib
import http.client
import json
import logging
import os
import random
import socket
import ssl
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, IO, Iterator, List, Mapping, Optional, Tuple, Type, Union

__all__ = [
    "AccountLocked",
    "ApiError",
    "AuthenticationError",
    "BackendAPI",
    "ConfigurationError",
    "Conflict",
    "EdgeCareError",
    "InvalidRequest",
    "NetworkError",
    "NotAPdf",
    "NotFound",
    "PermissionDenied",
    "QueueFull",
    "RateLimited",
    "ReportTooLarge",
    "ServiceUnavailable",
    "UploadResult",
]

log = logging.getLogger("edgecare.backend_api")

#: Called with the file's name, the bytes sent and the bytes in total.
Progress = Callable[[str, int, int], None]
Metadata = Mapping[str, Any]
PathLike = Union[str, "os.PathLike[str]"]

MIB = 1024 * 1024
#: The service takes forms up to 10 MiB with all their parts; larger files are sent without a form.
MAX_FORM_FILE_BYTES = 10 * MIB - 256 * 1024
MAX_FILE_BYTES = 25 * MIB
MAX_METRICS_BYTES = 64 * 1024
MAX_QUEUE_FILES = 2_000
MAX_QUEUE_BYTES = 2 * 1024 * MIB
#: Results that are remembered, so that a file is not sent again.
MAX_RESULTS = 5_000
CHUNK_BYTES = 64 * 1024
MAX_ANSWER_BYTES = MIB
TIMEOUT_S = 30.0
FIRST_WAIT_S = 1.0
MAX_WAIT_S = 300.0
#: A longer Retry-After is taken for this.
MAX_RETRY_AFTER_S = 3_600.0
#: An access token is renewed this long before it expires.
RENEWAL_MARGIN_S = 60.0
#: Failures of single files in a row, after which the service itself is taken to be failing.
MAX_FAILURES_IN_A_ROW = 3
#: A file without a record is the rest of an interrupted call if it is older.
ORPHAN_AGE_S = 3_600.0
RECORD_VERSION = 1

REPORT_FIELDS = ("patient_id", "kind", "recorded_at", "session_type", "confidence")
FILE_NAME_KEYS = ("file_name", "filename")


# Errors


class EdgeCareError(Exception):
    """Every error of this client."""


class ConfigurationError(EdgeCareError):
    """The address or the credential is missing, or the address cannot be used."""


class QueueFull(EdgeCareError):
    """The queue has reached its limit; the report was not taken."""


class NetworkError(EdgeCareError):
    """No complete answer of the service arrived. The request may have had its effect."""

    #: Seconds to wait, if known.
    retry_after: Optional[float] = None


class ApiError(EdgeCareError):
    """The service answered with a problem (RFC 9457). `code` is stable; texts may change."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        request_id: Optional[str] = None,
        errors: Optional[List[Dict[str, Any]]] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__("{} {}: {}".format(status, code, message))
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.errors = errors or []
        self.retry_after = retry_after


class InvalidRequest(ApiError):
    """The metadata are invalid; `errors` names the fields."""


class AuthenticationError(ApiError):
    """The login, token or device credential is not valid (any more)."""


class AccountLocked(AuthenticationError):
    """Too many failed logins; `retry_after` says for how long."""


class PermissionDenied(ApiError):
    """The account may not do this."""


class NotFound(ApiError):
    """No such patient, or none that the account may see."""


class Conflict(ApiError):
    """The request contradicts what is stored; see `code`."""


class ReportTooLarge(ApiError):
    """The file is larger than the service takes."""


class NotAPdf(ApiError):
    """The file is not a PDF."""


class RateLimited(ApiError):
    """Too many requests or bytes; `retry_after` says for how long."""


class ServiceUnavailable(ApiError):
    """The service failed or is busy."""


ERRORS_BY_CODE: Dict[str, Type[ApiError]] = {"not_pdf": NotAPdf, "too_large": ReportTooLarge, "account_locked": AccountLocked}
ERRORS_BY_STATUS: Dict[int, Type[ApiError]] = {
    400: InvalidRequest,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: ReportTooLarge,
    415: NotAPdf,
    423: AccountLocked,
    429: RateLimited,
}
#: Sending the report again changes nothing: its record is damaged, or the service has it and staff have moved it to another patient.
SETTLED_CODES = ("damaged_record", "report_moved")
#: Nothing is wrong with the report: it stays in the queue.
PASSING_CODES = ("storage_full", "limit_reached", "password_given")


def _to_error(status: int, body: Any, retry_after: Optional[float]) -> ApiError:
    problem = body if isinstance(body, dict) else {}
    code = str(problem.get("code") or "http_{}".format(status))
    message = str(problem.get("detail") or problem.get("title") or "no details")
    kind = ERRORS_BY_CODE.get(code) or ERRORS_BY_STATUS.get(status) or (ServiceUnavailable if status >= 500 else ApiError)
    errors = problem.get("errors")
    return kind(status, code, message, problem.get("request_id"), errors if isinstance(errors, list) else None, retry_after)


def _is_final(error: EdgeCareError) -> bool:
    """Whether the same report would be refused again, whenever and by whomever it is sent."""
    if not isinstance(error, ApiError) or _concerns_all(error):
        return False
    # An answer without a problem comes from something in between, such as a proxy.
    return 400 <= error.status < 500 and error.status not in (408, 425) and not error.code.startswith("http_")


def _concerns_all(error: EdgeCareError) -> bool:
    """Whether the next report would fail in the same way."""
    if isinstance(error, ApiError):
        kinds = (AuthenticationError, PermissionDenied, RateLimited)
        return isinstance(error, kinds) or error.status == 503 or error.code in PASSING_CODES
    return True


#: Waiting does not help: somebody has to change something.
HOPELESS = (AuthenticationError, PermissionDenied, ConfigurationError)


# Results


@dataclasses.dataclass(frozen=True)
class UploadResult:
    """What became of a report. `status`:

    stored       it is in the patient's record (`report_id`)
    duplicate    the record already had this file (`report_id`)
    quarantined  the service has it, and staff decide whose it is (`reason`)
    queued       it is safe in the queue on this computer, and is sent as soon as possible (`reason`)
    """

    status: str
    key: str
    file_name: str
    report_id: Optional[str] = None
    upload_id: Optional[str] = None
    reason: Optional[str] = None

    @property
    def is_sent(self) -> bool:
        return self.status != "queued"


@dataclasses.dataclass(frozen=True)
class FlushResult:
    """`error` is why the rest is still queued."""

    sent: List[UploadResult]
    refused: List[Tuple[str, ApiError]]
    queued: int
    error: Optional[EdgeCareError]


# The queue on disk


@dataclasses.dataclass
class _Entry:
    key: str
    url: str
    account: str
    file_name: str
    sha256: str
    size: int
    fields: Dict[str, Any]
    metrics: Dict[str, Any]
    created_at: float
    attempts: int = 0
    not_before: float = 0.0
    version: int = RECORD_VERSION


def _sync_folder(folder: Path) -> None:
    """Makes a renaming durable. Windows has no such call."""
    if os.name != "posix":
        return
    descriptor = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_durably(path: Path, chunks: Iterator[bytes]) -> None:
    """The file is there with all its bytes or not at all, also after a power cut. Only its owner can read it."""
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=str(path.parent))  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, str(path))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _read_chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _unlink(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


class _Lock:
    """Between threads and processes; the operating system releases it when a process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        with self._thread:
            descriptor = os.open(str(self._path), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._acquire(descriptor)
                yield
            finally:
                os.close(descriptor)

    @staticmethod
    def _acquire(descriptor: int) -> None:
        if os.name == "posix":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return
        import msvcrt  # pragma: no cover

        while True:  # LK_LOCK gives up after ten seconds
            with contextlib.suppress(OSError):
                getattr(msvcrt, "locking")(descriptor, getattr(msvcrt, "LK_LOCK"), 1)
                return


class _Queue:
    """`waiting/KEY.pdf` and `waiting/KEY.json` per report: an entry exists if its record does, which is written last."""

    def __init__(self, folder: Path, clock: Callable[[], float], max_files: int, max_bytes: int) -> None:
        self._clock = clock
        self._max_files = max_files
        self._max_bytes = max_bytes
        self.waiting = folder / "waiting"
        self.refused = folder / "refused"
        self.results = folder / "results"
        for path in (folder, self.waiting, self.refused, self.results):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._changes = _Lock(folder / "changes.lock")
        self.sending = _Lock(folder / "sending.lock")
        self._remove_orphans()

    def _remove_orphans(self) -> None:
        """They were sent, or the call that added them has not returned."""
        with self._changes.hold():
            for path in list(self.waiting.iterdir()):
                is_whole = path.suffix == ".json" or path.with_suffix(".json").exists()
                with contextlib.suppress(FileNotFoundError):
                    if not is_whole and time.time() - path.stat().st_mtime > ORPHAN_AGE_S:
                        path.unlink()

    def add(self, entry: _Entry, source: IO[bytes]) -> Optional[UploadResult]:
        """Returns the result if the report was sent meanwhile."""
        with self._changes.hold():
            if self._record(entry.key).exists():
                return None
            known = self.result(entry.key, entry.url, entry.account)
            if known:
                return known
            self._require_room(entry.size)
            digest = hashlib.sha256()

            def copied() -> Iterator[bytes]:
                for chunk in _read_chunks(source):
                    digest.update(chunk)
                    yield chunk

            _write_durably(self.content(entry.key), copied())
            if digest.hexdigest() != entry.sha256:
                _unlink(self.content(entry.key))
                raise EdgeCareError("{} changed while it was read".format(entry.file_name))
            self.save(entry)
            return None

    def _require_room(self, size: int) -> None:
        """Refused files count too: they are never deleted, and somebody has to look at them."""
        sizes = [path.stat().st_size for folder in (self.waiting, self.refused) for path in folder.glob("*.pdf")]
        if len(sizes) >= self._max_files:
            raise QueueFull("The queue holds {} reports, its limit, with those that were refused.".format(len(sizes)))
        if sum(sizes) + size > self._max_bytes:
            raise QueueFull("The queue holds {} MiB, its limit, with what was refused.".format(sum(sizes) // MIB))

    def content(self, key: str) -> Path:
        return self.waiting / (key + ".pdf")

    def read(self, key: str) -> bytes:
        """Empty if the file is missing."""
        # Where retry_refused() was interrupted.
        aside = self.refused / (key + ".pdf")
        if not self.content(key).exists() and aside.exists():
            os.replace(str(aside), str(self.content(key)))
        try:
            return self.content(key).read_bytes()
        except FileNotFoundError:
            return b""

    def _record(self, key: str) -> Path:
        return self.waiting / (key + ".json")

    def save(self, entry: _Entry) -> None:
        _write_durably(self._record(entry.key), iter([json.dumps(dataclasses.asdict(entry)).encode()]))

    def load(self, key: str) -> Optional[_Entry]:
        """None if the entry was sent meanwhile. A record that cannot be read is set aside."""
        try:
            text = self._record(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            members = json.loads(text)
            entry = _Entry(**members)
            if entry.version != RECORD_VERSION or entry.key != key:
                raise ValueError("another version")
            return entry
        except (ValueError, TypeError):
            self.set_aside(key, "damaged_record", "The record of the report cannot be read.")
            return None

    def keys(self) -> List[str]:
        """Oldest first."""
        found = []
        for path in self.waiting.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path.stem))
        return [key for _, key in sorted(found)]

    def entries(self, url: str, account: Optional[str]) -> List[_Entry]:
        loaded = [self.load(key) for key in self.keys()]
        mine = [entry for entry in loaded if entry and entry.url == url and entry.account == account]
        return sorted(mine, key=lambda entry: entry.created_at)

    def finish(self, entry: _Entry, result: UploadResult) -> None:
        record = dict(dataclasses.asdict(result), url=entry.url, account=entry.account, sent_at=self._clock())
        _write_durably(self.results / (entry.key + ".json"), iter([json.dumps(record).encode()]))
        self.remove(entry)
        self._forget_old_results()

    def remove(self, entry: _Entry) -> None:
        # The record first: without it the file is an orphan, and is not sent again.
        _unlink(self._record(entry.key))
        _unlink(self.content(entry.key))
        _sync_folder(self.waiting)

    def _forget_old_results(self) -> None:
        names = os.listdir(str(self.results))
        if len(names) <= MAX_RESULTS:
            return
        paths = sorted((self.results / name for name in names), key=lambda path: path.stat().st_mtime)
        for path in paths[: len(paths) - MAX_RESULTS * 9 // 10]:
            _unlink(path)

    def result(self, key: str, url: str, account: Optional[str]) -> Optional[UploadResult]:
        try:
            record = json.loads((self.results / (key + ".json")).read_text(encoding="utf-8"))
            if (record.pop("url"), record.pop("account")) != (url, account):
                return None
            record.pop("sent_at")
            return UploadResult(**record)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def set_aside(self, key: str, code: str, message: str) -> None:
        """Keeps the file, its record and the reason in `refused`."""
        reason = {"code": code, "message": message, "refused_at": self._clock()}
        _write_durably(self.refused / (key + ".reason.json"), iter([json.dumps(reason).encode()]))
        for path in (self.content(key), self._record(key)):
            with contextlib.suppress(FileNotFoundError):
                os.replace(str(path), str(self.refused / path.name))
        for folder in (self.refused, self.waiting):
            _sync_folder(folder)

    def refusals(self) -> List[Dict[str, Any]]:
        found = []
        for path in sorted(self.refused.glob("*.reason.json")):
            key = path.name[: -len(".reason.json")]
            record: Dict[str, Any] = {}
            with contextlib.suppress(OSError, ValueError):
                record = json.loads((self.refused / (key + ".json")).read_text(encoding="utf-8"))
            with contextlib.suppress(OSError, ValueError):
                reason = json.loads(path.read_text(encoding="utf-8"))
                found.append(dict(reason, key=key, file_name=record.get("file_name", key + ".pdf")))
        return found

    def retry_refused(self) -> int:
        count = 0
        with self.sending.hold(), self._changes.hold():
            for refusal in self.refusals():
                key = refusal["key"]
                if not (self.refused / (key + ".json")).exists() or refusal["code"] in SETTLED_CODES:
                    continue
                # The record first: a file without one would be removed.
                for name in (key + ".json", key + ".pdf"):
                    with contextlib.suppress(FileNotFoundError):
                        os.replace(str(self.refused / name), str(self.waiting / name))
                _unlink(self.refused / (key + ".reason.json"))
                count += 1
        for folder in (self.refused, self.waiting):
            _sync_folder(folder)
        return count


# HTTP


class _AnswerFirst:
    """The service may refuse a report before it has read all of it, and close: its answer can still be read."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            super().request(*args, **kwargs)  # type: ignore[misc]


class _Connection(_AnswerFirst, http.client.HTTPConnection):
    pass


class _TlsConnection(_AnswerFirst, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_TlsConnection, req, context=ssl.create_default_context())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the credential to another place."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _parse_retry_after(header: Optional[str], now: float) -> Optional[float]:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdigit():
        return min(float(header), MAX_RETRY_AFTER_S)
    try:
        until = email.utils.parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    if until is None:
        return None
    return max(0.0, min(until.timestamp() - now, MAX_RETRY_AFTER_S))


def _form(fields: Mapping[str, Any], metrics: Mapping[str, Any], file_name: str) -> Tuple[str, bytes, bytes]:
    """The content type of a form, and its bytes before and after the file."""
    boundary = "edgecare-" + uuid.uuid4().hex
    parts = {name: str(value) for name, value in fields.items()}
    if metrics:
        parts["metrics"] = json.dumps(metrics)
    head = b""
    for name, value in parts.items():
        head += '--{}\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'.format(boundary, name, value).encode()
    quoted = file_name.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head += (
        '--{}\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\nContent-Type: application/pdf\r\n\r\n'.format(
            boundary, quoted
        )
    ).encode()
    return "multipart/form-data; boundary=" + boundary, head, "\r\n--{}--\r\n".format(boundary).encode()


# The client


def _to_time(value: Any) -> str:
    """RFC 3339 with a zone; a time without one is that of this computer."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)
        except ValueError:
            raise InvalidRequest(400, "invalid_metadata", "recorded_at is not a time: {!r}".format(text)) from None
    if not isinstance(value, datetime.datetime):
        raise InvalidRequest(400, "invalid_metadata", "recorded_at must be a datetime or ISO 8601")
    return (value if value.tzinfo else value.astimezone()).isoformat(timespec="milliseconds")


def _split_metadata(metadata: Optional[Metadata]) -> Tuple[Dict[str, Any], Dict[str, Any], Optional[str]]:
    """Report fields, metrics and the file's name. Unknown keys are metrics, which the service keeps; None is not measured."""
    given = {key: value for key, value in (metadata or {}).items() if value is not None}
    if not all(isinstance(key, str) for key in given):
        raise InvalidRequest(400, "invalid_metadata", "metadata must have text as keys")
    nested = given.pop("metrics", {})
    if not isinstance(nested, Mapping):
        raise InvalidRequest(400, "invalid_metadata", "metrics must be a mapping")
    names = [str(given.pop(key)) for key in FILE_NAME_KEYS if key in given]
    fields = {key: given.pop(key) for key in REPORT_FIELDS if key in given}
    if "recorded_at" in fields:
        fields["recorded_at"] = _to_time(fields["recorded_at"])
    twice = sorted(set(given) & set(nested))
    if twice:
        raise InvalidRequest(400, "invalid_metadata", "{} is given twice".format(", ".join(twice)))
    metrics = {**given, **{key: value for key, value in nested.items() if value is not None}}
    try:
        size = len(json.dumps([fields, metrics], allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise InvalidRequest(400, "invalid_metadata", "metadata must be JSON values: {}".format(error)) from None
    if size > MAX_METRICS_BYTES:
        raise InvalidRequest(400, "invalid_metadata", "metadata have more than 64 KiB")
    return fields, metrics, names[0] if names else None


@dataclasses.dataclass(repr=False)
class _Login:
    """Held in memory only. Has no representation, which a log could contain."""

    username: str
    password: str
    access_token: Optional[str] = None
    refresh_token: Optional[str] = None
    renew_at: float = 0.0


class BackendAPI:
    """Uploads reports. Safe for use by several threads, and by several processes with the same queue.

    url         address of the service; default: EDGECARE_URL
    credential  of a device, from the portal; default: EDGECARE_CREDENTIAL. Without it, call login().
    queue_dir   folder of the queue; default: EDGECARE_QUEUE, or .edgecare/queue in the home folder
    """

    def __init__(
        self,
        url: Optional[str] = None,
        credential: Optional[str] = None,
        queue_dir: Optional[PathLike] = None,
        *,
        timeout: float = TIMEOUT_S,
        max_queue_files: int = MAX_QUEUE_FILES,
        max_queue_bytes: int = MAX_QUEUE_BYTES,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.url = self._check_url(url or os.environ.get("EDGECARE_URL"))
        self._credential = credential or os.environ.get("EDGECARE_CREDENTIAL") or None
        folder = queue_dir or os.environ.get("EDGECARE_QUEUE") or Path.home() / ".edgecare" / "queue"
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._login: Optional[_Login] = None
        self._login_lock = threading.RLock()
        self._queue = _Queue(Path(folder), clock, max_queue_files, max_queue_bytes)
        self._opener = urllib.request.build_opener(_NoRedirect(), _Http(), _Https())
        #: The service asked to send nothing before.
        self._asked_until = 0.0
        #: upload_report() only queues before, so that the app does not wait for a network that is gone.
        self._quiet_until = 0.0
        self._outages = 0

    def __repr__(self) -> str:
        return "BackendAPI({!r}, as {})".format(self.url, self._account or "nobody")

    @staticmethod
    def _check_url(url: Optional[str]) -> str:
        if not url:
            raise ConfigurationError("The address of the service is missing: set EDGECARE_URL, or pass url.")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ConfigurationError("EDGECARE_URL must be an address such as https://edgecare.example.org.")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ConfigurationError("EDGECARE_URL must begin with https://: credentials are not sent without encryption.")
        path = parts.path.rstrip("/")
        return "{}://{}{}".format(parts.scheme, parts.netloc, path[: -len("/api/v1")] if path.endswith("/api/v1") else path)

    @property
    def _account(self) -> Optional[str]:
        """Whose reports are sent: those that another account has queued wait for it."""
        if self._login:
            return "user:" + self._login.username.strip().lower()
        return "device" if self._credential else None

    # Access

    def login(self, username: str, password: str) -> bool:
        """Signs in with an e-mail address or a user name. Tokens and password stay in memory, and tokens are renewed.

        Returns False if the service cannot be reached: reports are queued, and sent after it can. Raises AuthenticationError.
        """
        with self._login_lock:
            before, self._login = self._login, _Login(username, password)
            try:
                self._sign_in(self._login)
                return True
            except AuthenticationError:
                self._login = before
                raise
            except (NetworkError, RateLimited, ServiceUnavailable) as error:
                log.warning("login deferred: %s", error)
                return False

    def logout(self) -> None:
        """Ends the session. Reports in the queue wait for the next login of this account."""
        with self._login_lock:
            login, self._login = self._login, None
        if login and login.access_token:
            with contextlib.suppress(EdgeCareError):
                self._request("POST", "/auth/logout", token=login.access_token, body={})

    def _sign_in(self, login: _Login) -> None:
        name = "email" if "@" in login.username else "username"
        self._keep_tokens(login, self._request("POST", "/auth/login", body={name: login.username, "password": login.password}))

    def _keep_tokens(self, login: _Login, answer: Dict[str, Any]) -> None:
        login.access_token = str(answer["access_token"])
        refresh = answer.get("refresh_token")
        login.refresh_token = str(refresh) if refresh else None
        login.renew_at = self._clock() + float(answer.get("expires_in", 0)) - RENEWAL_MARGIN_S

    def _token(self, rejected: Optional[str] = None) -> str:
        """A valid token; another one than the one that was rejected."""
        with self._login_lock:
            login = self._login
            if login is None:
                if self._credential and self._credential != rejected:
                    return self._credential
                if self._credential:
                    raise AuthenticationError(401, "unauthenticated", "The device credential is not valid (any more).")
                raise ConfigurationError("Nobody is signed in: call login(), or set EDGECARE_CREDENTIAL.")
            if login.access_token and login.access_token != rejected and self._clock() < login.renew_at:
                return login.access_token
            if login.refresh_token:
                refresh_token, login.refresh_token = login.refresh_token, None
                try:
                    self._keep_tokens(login, self._request("POST", "/auth/refresh", body={"refresh_token": refresh_token}))
                except AuthenticationError:
                    pass
                except EdgeCareError:
                    # Its reply may be lost; the service takes the same token again for a while.
                    login.refresh_token = refresh_token
                    raise
                else:
                    return str(login.access_token)
            self._sign_in(login)
            return str(login.access_token)

    # Reports

    def upload_report(
        self, file_path: PathLike, metadata: Optional[Metadata] = None, progress: Optional[Progress] = None, *, again: bool = False
    ) -> UploadResult:
        """Puts a copy of the file into the queue, and sends the queue, oldest first.

        metadata: `patient_id` (of people; a device's reports belong to its patient), `kind` (default ecg), `recorded_at`,
        `session_type`, `confidence`, `file_name`; everything else is kept as metrics, such as heart_rate.
        The same file with the same metadata is sent once; `again` sends it nevertheless.

        Returns a result with the status "queued" if the service cannot be reached or asks to wait.
        Raises ApiError if it refuses this report (the file is then in the folder `refused` of the queue), AuthenticationError or
        PermissionDenied if the account cannot upload (the report stays in the queue), QueueFull, OSError (unreadable file).
        """
        account = self._account
        if account is None:
            raise ConfigurationError("Nobody is signed in: call login(), or set EDGECARE_CREDENTIAL.")
        entry = self._enqueue(Path(file_path), metadata, account, again)
        if isinstance(entry, UploadResult):
            return entry
        if self._is_ahead(self._quiet_until):
            return UploadResult("queued", entry.key, entry.file_name, reason="the service did not answer a moment ago")
        flushed = self._flush(progress, until=entry.key)
        for key, refusal in flushed.refused:
            if key == entry.key:
                raise refusal
        result = self._queue.result(entry.key, self.url, account)
        if result:
            return result
        if isinstance(flushed.error, HOPELESS):
            raise flushed.error
        if self._queue.load(entry.key) is None:
            for refused in self._queue.refusals():
                if refused["key"] == entry.key:  # by another process
                    raise ApiError(400, str(refused["code"]), str(refused["message"]))
        return UploadResult("queued", entry.key, entry.file_name, reason=str(flushed.error or "waiting to be sent again"))

    def _enqueue(self, path: Path, metadata: Optional[Metadata], account: str, again: bool) -> Union[_Entry, UploadResult]:
        fields, metrics, file_name = _split_metadata(metadata)
        with path.open("rb") as file:
            digest = hashlib.sha256()
            size = 0
            for chunk in _read_chunks(file):
                digest.update(chunk)
                size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ReportTooLarge(413, "too_large", "{} has more than 25 MiB".format(path.name))
            sha256 = digest.hexdigest()
            # The key is the content: another process, or a later run, that uploads the same makes the same request.
            parts = [RECORD_VERSION, self.url, account, sha256, fields, metrics, uuid.uuid4().hex if again else ""]
            key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
            known = self._queue.result(key, self.url, account)
            if known:
                return known
            file.seek(0)
            name = (file_name or path.name)[-200:]
            entry = _Entry(key, self.url, account, name, sha256, size, fields, metrics, self._clock())
            return self._queue.add(entry, file) or entry

    def flush(self, progress: Optional[Progress] = None) -> FlushResult:
        """Sends what this account has queued, oldest first, and stops at the first sign that the service cannot be reached."""
        return self._flush(progress)

    def _flush(self, progress: Optional[Progress], until: Optional[str] = None) -> FlushResult:
        sent: List[UploadResult] = []
        refused: List[Tuple[str, ApiError]] = []
        error: Optional[EdgeCareError] = None
        failures = 0
        entries = self._queue.entries(self.url, self._account)
        if entries and self._is_ahead(self._asked_until):
            waiting = RateLimited(429, "rate_limited", "The service asked to wait.", retry_after=self._asked_until - self._clock())
            return FlushResult([], [], len(entries), waiting)
        for queued in entries:
            if self._is_ahead(queued.not_before):
                continue
            try:
                # One sender at a time, whatever the number of processes.
                with self._queue.sending.hold():
                    entry = self._queue.load(queued.key)
                    if entry is None:
                        continue
                    result = self._send_entry(entry, progress)
                if result:
                    sent.append(result)
                failures = self._outages = 0
                self._quiet_until = 0.0
            except ApiError as problem:
                if _is_final(problem):
                    refused.append((queued.key, problem))
                    failures = 0
                    continue
                error = problem
                failures += 1
                if _concerns_all(problem) or failures >= MAX_FAILURES_IN_A_ROW:
                    break
            except EdgeCareError as problem:
                error = problem
                break
            if queued.key == until:
                break
        return FlushResult(sent, refused, len(self._queue.entries(self.url, self._account)), error)

    def _is_ahead(self, until: float) -> bool:
        # The clock may have been set back.
        return 0 < until - self._clock() <= MAX_RETRY_AFTER_S + MAX_WAIT_S

    def _send_entry(self, entry: _Entry, progress: Optional[Progress]) -> Optional[UploadResult]:
        known = self._queue.result(entry.key, entry.url, entry.account)
        if known:  # and the process died before it removed the report
            self._queue.remove(entry)
            return known
        try:
            result = self._send(entry, progress)
        except EdgeCareError as problem:
            self._note_failure(entry, problem)
            raise
        if result:
            self._queue.finish(entry, result)
        return result

    def _note_failure(self, entry: _Entry, problem: EdgeCareError) -> None:
        retry_after = getattr(problem, "retry_after", None)
        if isinstance(problem, ApiError) and _is_final(problem):
            self._queue.set_aside(entry.key, problem.code, problem.message)
            log.error("refused %s: %s", entry.key[:12], problem.code)
        elif not _concerns_all(problem):
            entry.not_before = self._clock() + self._wait(entry.attempts, retry_after)
            entry.attempts += 1
            self._queue.save(entry)
        elif retry_after is not None:
            self._asked_until = self._clock() + self._wait(0, retry_after)
        elif not isinstance(problem, HOPELESS):
            self._quiet_until = self._clock() + self._wait(self._outages)
            self._outages += 1

    def _wait(self, attempt: int, retry_after: Optional[float] = None) -> float:
        """Full jitter under a bound that doubles, and never less than the service asked for."""
        bound = min(MAX_WAIT_S, FIRST_WAIT_S * float(2 ** min(attempt, 16)))
        return (retry_after or 0.0) + self._jitter() * bound

    def _send(self, entry: _Entry, progress: Optional[Progress]) -> Optional[UploadResult]:
        content = self._queue.read(entry.key)
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            self._queue.set_aside(entry.key, "damaged_file", "The file in the queue was changed or is missing.")
            log.error("set aside %s: its file is damaged", entry.key[:12])
            return None
        if len(content) <= MAX_FORM_FILE_BYTES:
            content_type, head, tail = _form(entry.fields, entry.metrics, entry.file_name)
            path, headers, body = "/ecg/reports/upload", {}, head + content + tail
        else:
            query = urllib.parse.urlencode(entry.fields)
            path, content_type, body = "/reports/raw" + ("?" + query if query else ""), "application/pdf", content
            headers = {"X-File-Name": urllib.parse.quote(entry.file_name, safe="")}
            if entry.metrics:
                headers["X-Report-Metrics"] = urllib.parse.quote(json.dumps(entry.metrics), safe="")
        headers.update({"Content-Type": content_type, "Idempotency-Key": entry.key, "X-Content-SHA256": entry.sha256})
        report = None if progress is None else (lambda sent: progress(entry.file_name, min(sent, entry.size), entry.size))
        data = self._authorized("POST", path, headers, body, report)
        if progress:
            progress(entry.file_name, entry.size, entry.size)
        report_id, upload_id = data.get("report_id"), data.get("upload_id")
        if not upload_id:
            raise NetworkError("The answer is not that of EdgeCare.")
        if data.get("status") == "quarantined":
            return UploadResult("quarantined", entry.key, entry.file_name, None, upload_id, data.get("reason"))
        status = "duplicate" if data.get("duplicate_of") else "stored"
        return UploadResult(status, entry.key, entry.file_name, report_id, upload_id)

    def keep_sending(self, stop: threading.Event, interval: float = 30.0, progress: Optional[Progress] = None) -> None:
        """Sends the queue until `stop` is set; for a thread of the app. Waits longer while the service does not answer."""
        attempt = 0
        while not stop.is_set():
            flushed = self.flush(progress)
            attempt = attempt + 1 if flushed.error else 0
            stop.wait(max(interval, self._wait(attempt, getattr(flushed.error, "retry_after", None))))

    def wait_until_sent(self, progress: Optional[Progress] = None, attempts: int = 100) -> FlushResult:
        """Sends the queue until it is empty, or until the login is refused, or as often as `attempts` says."""
        sent: List[UploadResult] = []
        refused: List[Tuple[str, ApiError]] = []
        for attempt in range(attempts):
            flushed = self.flush(progress)
            sent += flushed.sent
            refused += flushed.refused
            if flushed.queued == 0 or isinstance(flushed.error, HOPELESS):
                break
            self._sleep(self._wait(attempt, getattr(flushed.error, "retry_after", None)))
        return FlushResult(sent, refused, flushed.queued, flushed.error)

    def pending(self) -> List[str]:
        """Names of the files that this account has queued, oldest first."""
        return [entry.file_name for entry in self._queue.entries(self.url, self._account)]

    def pending_of_others(self) -> int:
        """Reports that another account or address has queued: they wait for its login."""
        return len(self._queue.keys()) - len(self.pending())

    def refused(self) -> List[Dict[str, Any]]:
        """Reports that the service refused for good, with `file_name`, `code` and `message`."""
        return self._queue.refusals()

    def retry_refused(self) -> int:
        """Puts refused reports back into the queue, after the cause was mended. Returns their number.

        Those with the code `report_moved` stay: the service has them.
        """
        return self._queue.retry_refused()

    # Requests

    def _authorized(
        self, method: str, path: str, headers: Dict[str, str], body: bytes, report: Optional[Callable[[int], None]]
    ) -> Dict[str, Any]:
        token = self._token()
        try:
            return self._request(method, path, token=token, body=body, headers=headers, report=report)
        except ApiError as error:
            if error.status != 401:
                raise
        # The session was ended or its key replaced: once with a new one.
        return self._request(method, path, token=self._token(rejected=token), body=body, headers=headers, report=report)

    def _request(
        self,
        method: str,
        path: str,
        *,
        token: Optional[str] = None,
        body: Union[bytes, Dict[str, Any], None] = None,
        headers: Optional[Mapping[str, str]] = None,
        report: Optional[Callable[[int], None]] = None,
    ) -> Dict[str, Any]:
        """The member `data` of a successful answer. Raises NetworkError, ApiError."""
        sent = {"Accept": "application/json", "User-Agent": "edgecare-python/1", **(headers or {})}
        if isinstance(body, dict):
            sent["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Length"] = str(len(body))
        request = urllib.request.Request(
            self.url + "/api/v1" + path, data=self._reported(body, report), headers=sent, method=method
        )
        if token:
            request.add_unredirected_header("Authorization", "Bearer " + token)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return self._read_data(answer.status, answer.read(MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                retry_after = _parse_retry_after(error.headers.get("Retry-After"), self._clock())
                raise self._read_problem(error, retry_after) from None
        except (OSError, http.client.HTTPException, socket.timeout) as error:
            reason = getattr(error, "reason", error)
            raise NetworkError("{} does not answer: {}".format(self.url, reason)) from None

    @staticmethod
    def _reported(body: Optional[bytes], report: Optional[Callable[[int], None]]) -> Union[bytes, Iterator[bytes], None]:
        if body is None or report is None:
            return body

        def chunks() -> Iterator[bytes]:
            for start in range(0, len(body), CHUNK_BYTES):
                report(start)
                yield body[start : start + CHUNK_BYTES]

        return chunks()

    @staticmethod
    def _read_data(status: int, text: bytes) -> Dict[str, Any]:
        try:
            data = json.loads(text)["data"]
        except (ValueError, KeyError, TypeError):
            data = None
        if not isinstance(data, dict):
            # Such as the page of a network that asks to sign in.
            raise NetworkError("The answer ({}) is not that of EdgeCare.".format(status))
        return data

    @staticmethod
    def _read_problem(error: urllib.error.HTTPError, retry_after: Optional[float]) -> EdgeCareError:
        try:
            body = json.loads(error.read(MAX_ANSWER_BYTES))
        except (OSError, http.client.HTTPException, ValueError):
            body = None
        if 300 <= error.code < 400:
            return NetworkError("The address redirects to another one ({}).".format(error.code))
        return _to_error(error.code, body, retry_after)


# The command


def _parse_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m backend_api",
        description="Uploads ECG reports to EdgeCare. EDGECARE_URL is its address; EDGECARE_CREDENTIAL is that of a device, or "
        "EDGECARE_USERNAME signs in with EDGECARE_PASSWORD, or with a password that is asked for.",
    )
    parser.add_argument("--url", help="default: EDGECARE_URL")
    parser.add_argument("--username", default=os.environ.get("EDGECARE_USERNAME"), help="default: EDGECARE_USERNAME")
    parser.add_argument("--queue", help="folder of the queue; default: EDGECARE_QUEUE, or ~/.edgecare/queue")
    commands = parser.add_subparsers(dest="command", required=True)
    upload = commands.add_parser("upload", help="upload the PDFs of a folder, each with the metadata of NAME.json beside it")
    upload.add_argument("folder", type=Path)
    upload.add_argument("--patient-id", help="for reports without a patient in their metadata")
    upload.add_argument("--kind", help="for reports without a kind; default: ecg")
    upload.add_argument("--wait", action="store_true", help="wait until everything is sent, also while the network is gone")
    commands.add_parser("flush", help="send what is queued")
    commands.add_parser("status", help="show what is queued and what was refused")
    commands.add_parser("retry", help="put refused reports back into the queue, and send them")
    return parser.parse_args(arguments)


def _show_progress(name: str, sent: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K{} {:3d} %".format(name, 100 * sent // max(total, 1)))
        sys.stderr.flush()


def _say(text: str) -> None:
    sys.stderr.write(("\r\x1b[K" if sys.stderr.isatty() else "") + text + "\n")
    sys.stderr.flush()


def _read_metadata(pdf: Path, defaults: Mapping[str, Any]) -> Dict[str, Any]:
    beside = pdf.with_suffix(".json")
    if not beside.exists():
        return dict(defaults)
    metadata = json.loads(beside.read_text(encoding="utf-8-sig"))
    if not isinstance(metadata, dict):
        raise ValueError("{} is not a JSON object".format(beside.name))
    return {**defaults, **metadata}


def _upload_folder(backend: BackendAPI, options: argparse.Namespace) -> int:
    """Returns the number of files that were not taken."""
    pdfs = sorted(path for path in options.folder.iterdir() if path.suffix.lower() == ".pdf" and path.is_file())
    defaults = {key: value for key, value in (("patient_id", options.patient_id), ("kind", options.kind)) if value}
    failed = 0
    for number, pdf in enumerate(pdfs, 1):
        try:
            result = backend.upload_report(pdf, _read_metadata(pdf, defaults), _show_progress)
            outcome = result.status + (" ({})".format(result.reason) if result.reason else "")
        except HOPELESS:
            raise
        except (EdgeCareError, OSError, ValueError) as error:
            failed += 1
            outcome = "failed: {}".format(error)
        _say("{}/{} {}: {}".format(number, len(pdfs), pdf.name, outcome))
    return failed


def main(arguments: Optional[List[str]] = None) -> int:
    """Returns 0 if everything is sent, 1 if something is queued, refused or failed, 2 for wrong usage."""
    options = _parse_arguments(arguments)
    try:
        backend = BackendAPI(options.url, queue_dir=options.queue)
        if options.username:
            backend.login(options.username, os.environ.get("EDGECARE_PASSWORD") or getpass.getpass())
        failed = 0
        if options.command == "upload":
            if not options.folder.is_dir():
                _say("{} is not a folder".format(options.folder))
                return 2
            failed = _upload_folder(backend, options)
            if options.wait:
                backend.wait_until_sent(_show_progress)
        if options.command == "retry":
            _say("{} put back".format(backend.retry_refused()))
        if options.command in ("flush", "retry"):
            flushed = backend.flush(_show_progress)
            _say("{} sent".format(len(flushed.sent)) + (", then: {}".format(flushed.error) if flushed.error else ""))
        pending, refused = backend.pending(), backend.refused()
        _say("queued {}, refused {}".format(len(pending), len(refused)))
        if backend.pending_of_others():
            _say("{} more wait for another account or address".format(backend.pending_of_others()))
        for refusal in refused:
            _say("refused {file_name}: {code}: {message}".format(**refusal))
        return 1 if failed or pending or refused else 0
    except HOPELESS as error:
        _say(str(error))
        return 2 if isinstance(error, ConfigurationError) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Real receivers of notices on local sockets: a web server and a mail server, each up or down as a test wants."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from chubei_allocation.notices import notices, sending
from chubei_shared.contracts.posts import Post
from chubei_shared.tokens import Role
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text


@pytest.fixture
def web() -> "Web":
    return Web()


@pytest.fixture
def mail(tmp_path) -> "Mail":
    return Mail(tmp_path)


@pytest.fixture
def board(house) -> "Board":
    """Three posts, one above the other: wang and his deputy li, below sun, below zhou."""
    house.clear()
    board = Board(house)
    board.put("MAYOR", holder="zhou")
    board.put("HEAD", holder="sun", escalates_to="MAYOR")
    board.put("DUTY", holder="wang", deputy="li", escalates_to="HEAD")
    return board


class Board:
    """Who is told what; the worker's part is done in this process, when a test says so."""

    def __init__(self, house) -> None:
        self.house, self.tx = house, house.tx
        self.admin = house.as_(Role.ADMIN)
        self.sender = sending.Sender(house.settings)

    def put(self, id: str, **more):
        body = {"id": id, "name_zh": f"岗位{id}", "name_en": f"post {id}", **more}
        return self.admin.put_post(
            Post.model_validate(body | {"provenance": {"certainty": "invented", "source": "test"}}),
            "*" if any(view.post.id == id for view in self.admin.posts()) else None,
        )

    def person(self, name: str):
        return self.house.as_(Role.CLERK, name=name)

    def tell(self, key: str, to: str = "DUTY", **more):
        said = (to, f"标题 {key} / subject {key}", f"内容 {key}", f"text {key}", key)
        return self.admin.notice(self.tx(notices.tell, *said, **more))

    def work(self, sender: sending.Sender | None = None) -> None:
        sending.work(self.tx, sender or self.sender)

    def sql(self, statement: str, **values) -> None:
        self.tx(lambda session: session.execute(text(statement), values))

    def deliveries(self, notice) -> dict[str, Any]:
        return {delivery.kind: delivery for delivery in self.admin.notice(notice.id).deliveries}

    def in_a_while(self) -> None:
        """What is to be tried again later is due."""
        self.sql("UPDATE notice_delivery SET try_at = now() WHERE status = 'queued'")


class _Receiver(ThreadingHTTPServer):
    request_queue_size = 128  # by itself it lets five wait, and twenty come at once


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Web:
    """What came in; `answer` says with which status each request is answered."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.received: list[Received] = []
        self.answer: Callable[[Received], int] = lambda _: 204
        self.headers: dict[str, str] = {}

    @contextmanager
    def up(self) -> Iterator[None]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came = Received(self.path, dict(self.headers), body)
                web.received.append(came)
                self.send_response(web.answer(came))
                for name, value in web.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = _Receiver(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Mail:
    """Takes mail over STARTTLS only, from whoever gives the password."""

    USER, WORD = "chubei", "p@ss/word"

    def __init__(self, folder: Path) -> None:
        self.port, self.envelopes = free_port(), []
        self.ca_file = folder / "mail.pem"
        self._context = _certificate(self.ca_file)

    @property
    def url(self) -> str:
        return f"smtp://chubei:p%40ss%2Fword@127.0.0.1:{self.port}?from=notices@example.gov.cn&cafile={self.ca_file}"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        right = (data.login, data.password) == (self.USER.encode(), self.WORD.encode())
        return AuthResult(success=right, handled=False)

    @contextmanager
    def up(self) -> Iterator[None]:
        controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=self._context,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
        )
        controller.start()
        try:
            yield
        finally:
            controller.stop()


def _certificate(file: Path) -> ssl.SSLContext:
    """Self-signed, for 127.0.0.1; certificate and key are written to `file`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context

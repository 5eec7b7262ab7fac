"""A server that speaks OpenID Connect (authorization code with PKCE), whose person tests choose."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "mien", "a secret of both"


class SignOnServer:
    """Who comes is `person`, if there is one; `asked` are the parameters of the last question."""

    def __init__(self):
        self.person: dict | None = None
        self.asked: dict[str, str] = {}
        self.codes: dict[str, tuple[dict, dict]] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        handler = type("Handler", (_Handler,), {"server_of_tests": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/realms/lab"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def configuration(self) -> dict:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes from here."""
        self.asked = asked
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        answer = {"state": asked["state"]}
        if self.person is None:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe()
            self.codes[answer["code"]] = asked, self.person
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def token(self, sent: dict[str, str]) -> dict:
        asked, person = self.codes.pop(sent["code"])
        assert (sent["client_id"], sent["client_secret"]) == (CLIENT, SECRET)
        assert sent["redirect_uri"] == asked["redirect_uri"]
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert (asked["code_challenge"], asked["code_challenge_method"]) == (challenge, "S256")
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, **person}
        self.codes[access := secrets.token_urlsafe()] = asked, person
        identity = jwt.encode(claims, self.key, "RS256", headers={"kid": "1"})
        return {"access_token": access, "token_type": "Bearer", "id_token": identity}


class _Handler(BaseHTTPRequestHandler):
    server_of_tests: SignOnServer

    def do_GET(self) -> None:
        server, address = self.server_of_tests, urlsplit(self.path)
        match address.path.removeprefix("/realms/lab"):
            case "/.well-known/openid-configuration":
                self._answer(server.configuration())
            case "/authorize":
                self.send_response(302)
                self.send_header("Location", server.authorize(dict(parse_qsl(address.query))))
                self.end_headers()
            case "/userinfo":
                token = self.headers["Authorization"].removeprefix("Bearer ")
                self._answer(server.codes[token][1])
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(self.server_of_tests.token({name: one for name, (one,) in sent.items()}))

    def _answer(self, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Not in the output of tests."""

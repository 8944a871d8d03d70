"""The keys and certificates of one partnership: looked up when they are used, read once, judged by today's date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from connectors.as2.keys import BadKey, Certificate, Identity, first_identity, first_valid, read_certificates
from connectors.as2.keys import read_identities as read
from connectors.as2.packing import Caps
from connectors.as2.settings import Settings
from connectors.as2.unwrapping import Trust
from connectors.as2.wrapping import Means
from hub.sdk import Kit, Paused, Problem, Secret

SOON = timedelta(days=30)
LARGEST_FILE = 100_000


class Keyring:
    """Reads what the settings name. A secret that changes is read anew; Paused says what is missing."""

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self._settings, self._kit = settings, kit
        self._read: dict[tuple[str, str], tuple[Identity, ...]] = {}

    def trust(self) -> Trust:
        """Return what messages from the partner are opened and verified with."""
        settings = self._settings
        return Trust(
            ours=self.ours(),
            theirs=self.theirs(),
            at=self._kit.clock.now(),
            weak=settings.accept_weak,
            expired=settings.accept_expired,
            caps=Caps(size=settings.largest_content, ratio=settings.largest_ratio),
        )

    def means(self) -> Means:
        """Return what messages to the partner are signed and encrypted with; Paused where that ran out."""
        settings, now = self._settings, self._kit.clock.now()
        identity, certificate = None, None
        if "sign" in settings.steps:
            identity = self.signing()
        if "encrypt" in settings.steps:
            certificate = first_valid(self._encrypting(), now)
            if certificate is None:
                raise self._paused("no certificate of the partner is valid today; ask for their new one and add it")
        return Means(
            identity=identity,
            certificates=[certificate] if certificate else [],
            digest=settings.digest,
            cipher=settings.cipher,
            transport=settings.key_transport,
        )

    def signing(self) -> Identity:
        """Return the first of our keys whose certificate is valid today."""
        identity = first_identity(self.ours(), self._kit.clock.now())
        if identity is None:
            raise self._paused("our certificate is not valid today; make a new key, tell the partner, and enter it")
        return identity

    def can_sign(self) -> bool:
        """Say whether one of our keys may sign today."""
        return first_identity(self.ours(), self._kit.clock.now()) is not None

    def ours(self) -> tuple[Identity, ...]:
        """Return our keys, the preferred first."""
        settings = self._settings
        return (
            *self._identities("our_key", settings.our_key, settings.our_key_password),
            *self._identities("our_other_key", settings.our_other_key, settings.our_other_key_password),
        )

    def theirs(self) -> tuple[Certificate, ...]:
        """Return the certificates that we believe."""
        return self._certificates("their_certificates", self._settings.their_certificates)

    def foresee(self) -> list[Problem]:
        """Return whose last certificate runs out within 30 days, or has run out."""
        roles = (
            ("our_key", [each.certificate for each in self.ours()], "make a new key, tell the partner, and enter it"),
            ("their_certificates", self.theirs(), "ask the partner for their new certificate and add it"),
            ("encrypt_for", self._encrypting() if self._settings.encrypt_for else (), "ask for the new one, add it"),
        )
        return [found for name, certificates, action in roles if (found := self._ending(name, certificates, action))]

    def _ending(self, name: str, certificates: Sequence[Certificate], action: str) -> Problem | None:
        last = max(certificates, key=lambda each: each.until, default=None)
        left = last.until - self._kit.clock.now() if last is not None else SOON
        if last is None or left >= SOON:
            return None
        code = "certificate_ends" if left > timedelta(0) else "certificate_ended"
        text = f"{last} is the last one of {name} that is valid; {action}"
        return Problem(code=code, path=f"settings.{name}", value=f"{last.serial:x}", text=text)

    def _encrypting(self) -> tuple[Certificate, ...]:
        return self._certificates("encrypt_for", self._settings.encrypt_for) or self.theirs()

    def _identities(self, name: str, secret: Secret | None, password: Secret | None) -> tuple[Identity, ...]:
        if secret is None:
            return ()
        key = (secret.reveal(), password.reveal() if password else "")
        known = self._read.get(key)
        if known is None:
            try:
                known = read(*key)
            except BadKey as error:
                raise self._paused(f"{name}: {error}") from error
            self._read = {**{k: v for k, v in self._read.items() if len(self._read) < 4}, key: known}
        return known

    def _certificates(self, name: str, given: Sequence[str]) -> tuple[Certificate, ...]:
        try:
            return tuple(each for text in given for each in read_certificates(self._pem(text)))
        except BadKey as error:
            raise self._paused(f"{name}: {error}") from error

    def _pem(self, text: str) -> str:
        if "-----BEGIN" in text:
            return text
        try:
            with open(self._kit.path(text), encoding="latin-1") as file:
                return file.read(LARGEST_FILE)
        except OSError as error:
            raise BadKey(f"{text} cannot be read ({error.strerror})") from error

    def _paused(self, text: str) -> Paused:
        return Paused(f"{self._kit.connection}: {text}")

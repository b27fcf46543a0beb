# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Files confirmed cases at the city's Open311 endpoint, each once, and follows what becomes of them.

The standard has no key that would make sending twice harmless. So before a request leaves, its row says `sending`; if
no answer comes (or this process dies), the request may have arrived. It is then looked for in the endpoint's list by
the reference in its text. Where it is not found a person has to look (`unclear`), unless `resend` says that the list
shows every request at once. What surely did not arrive is tried again, ever more slowly.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import httpx

from depot.describing import describe
from depot.errors import ConfigError
from depot.handover import open311_outbox as outbox
from depot.handover import times
from depot.handover.calling import Answer, NoAnswerError, NotSentError, call, new_client
from depot.handover.config import HandoverConfig
from depot.handover.exported import Exported, read
from depot.handover.open311_answers import AnswerError, records
from depot.handover.open311_outbox import Entry
from depot.handover.picture_links import PictureLinks
from depot.secret_file import first_line
from depot.store.database import Database
from depot.store.tables import cases

_FIRST_WAIT_S, _LONGEST_WAIT_S = 60.0, 6 * 3600.0
#: A token is asked for often at first: most endpoints give the number within seconds.
_TOKEN_WAIT_S = 2.0
#: So often a request without an answer is looked for.
_LOOKS = 3
_PAGES, _PAGE_SIZE = 20, 100
_EARLIER = timedelta(minutes=10)  # the endpoint's clock may differ
#: The endpoint says no for now, or not to us: nothing was taken, and it is worth another try.
_LATER = frozenset({401, 403, 425, 429})


class Open311Client:
    """A background worker; any number of them may run."""

    def __init__(
        self, database: Database, settings: HandoverConfig, links: PictureLinks, client: httpx.Client | None = None
    ) -> None:
        """Raises ConfigError: the file with the api_key cannot be read."""
        self._settings = settings.open311
        if self._settings.url is None:
            raise ConfigError("handover.open311.url: is not set")
        self._endpoint = self._settings.url
        self._url = self._endpoint.rstrip("/")
        self._public_url = None if settings.public_url is None else settings.public_url.rstrip("/")
        self._database = database
        self._links = links
        self._client = client or new_client()
        key = self._settings.api_key_file
        self._key = None if key is None else first_line(key, key="handover.open311.api_key_file")
        # While a request is under way nobody else may take it for one without an answer.
        self._lease_s = max(float(self._settings.look_after_s), 4 * self._settings.timeout_s)

    def run_once(self) -> int:
        """All that is due; how many steps that were. Raises StoreError."""
        done = outbox.add_confirmed(self._database, self._settings) if self._settings.automatic else 0
        steps = (
            ("waiting", self._send),
            ("sending", self._look),
            ("token", self._ask_token),
            ("accepted", self._follow),
        )
        for state, step in steps:
            for entry in outbox.due(self._database, self._endpoint, state):
                if state == "accepted" and entry.status == "closed":
                    continue
                step(entry)
                done += 1
        return done

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _send(self, entry: Entry) -> None:
        with self._database.reading() as connection:
            found = read(connection, [cases.c.number == entry.case], limit=1)
        if not found or found[0].case.state not in outbox.FILED:
            if entry.attempts == 0:
                outbox.withdraw(self._database, entry)
            else:
                self._settle(entry, 0, "refused", error="the case is no longer confirmed")
            return
        fields = self._fields(entry, found[0])
        if fields is None:
            self._settle(entry, 0, "refused", error=f"no service_code is set for {found[0].case.defect_class}")
            return
        first = entry.first_try_utc or self._database.now_utc()
        values = {"state": "sending", "attempts": entry.attempts + 1, "looks": 0, "first_try_utc": first}
        if not outbox.take(self._database, entry, lease_s=self._lease_s, **values):
            return
        try:
            answer = self._call("POST", "requests", data=fields)
        except NotSentError as error:
            self._settle(entry, _back_off(entry.attempts), "waiting", error=str(error))
        except NoAnswerError as error:
            outbox.settle(self._database, entry, after_s=self._lease_s, error=f"no answer: {error}")
        else:
            self._answered(entry, answer)

    def _fields(self, entry: Entry, exported: Exported) -> dict[str, str] | None:
        case, settings = exported.case, self._settings
        code = settings.services.get(case.defect_class) or settings.services.get("*")
        if code is None or case.lon is None or case.lat is None:
            return None
        text = describe(case, settings.language)
        link = None
        if settings.send_picture and self._public_url is not None and exported.picture and exported.stored:
            link = self._links.link(self._public_url, exported.picture)
        given = {
            "service_code": code,
            "lat": f"{case.lat:.7f}",
            "long": f"{case.lon:.7f}",
            "description": f"{text} (Wegewart {case.number}, {entry.reference})",
            "media_url": link,
            "email": settings.email,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _answered(self, entry: Entry, answer: Answer) -> None:
        """The answer to a request that was sent."""
        line = answer.line()
        if 200 <= answer.status < 300:
            self._accepted(entry, answer)
        elif answer.status in _LATER or 300 <= answer.status < 400:
            self._settle(entry, answer.wait_s() or _back_off(entry.attempts), "waiting", error=line)
        elif 400 <= answer.status < 500 and answer.status != 408:
            self._settle(entry, 0, "refused", error=line)
        else:  # it may have been taken before the server failed
            outbox.settle(self._database, entry, after_s=self._lease_s, error=line)

    def _accepted(self, entry: Entry, answer: Answer) -> None:
        try:
            found = records(self._settings.format, answer.body)
        except AnswerError as error:
            found, line = [], str(error)
        else:
            line = "the answer has neither service_request_id nor token"
        request = next((one["service_request_id"] for one in found if "service_request_id" in one), None)
        token = next((one["token"] for one in found if "token" in one), None)
        if request is not None:
            self._settle(entry, self._settings.follow_every_s, "accepted", request=request, error=None)
        elif token is not None:
            outbox.settle(
                self._database, entry, after_s=_TOKEN_WAIT_S, state="token", token=token, attempts=0, error=None
            )
        else:
            outbox.settle(self._database, entry, after_s=self._lease_s, error=line)

    def _look(self, entry: Entry) -> None:
        """No answer came: is it there?"""
        if not outbox.take(self._database, entry, lease_s=self._lease_s, looks=entry.looks + 1):
            return
        try:
            request = self._find(entry)
        except (NotSentError, NoAnswerError, AnswerError) as error:
            outbox.settle(self._database, entry, after_s=self._lease_s, looks=entry.looks, error=str(error))
            return
        if request is not None:
            self._settle(entry, self._settings.follow_every_s, "accepted", request=request, error=None)
        elif entry.looks + 1 < _LOOKS:
            line = "sent without an answer, and not found at the endpoint yet"
            outbox.settle(self._database, entry, after_s=self._lease_s, error=line)
        elif self._settings.resend:
            self._settle(entry, 0, "waiting", attempts=0, error="not found at the endpoint: sent again")
        else:
            line = f"sent without an answer, and not found at the endpoint: look for {entry.reference} there"
            self._settle(entry, 0, "unclear", error=line)

    def _find(self, entry: Entry) -> str | None:
        """The request with our reference in the endpoint's list."""
        first = times.parse(entry.first_try_utc or self._database.now_utc())
        assert first is not None
        start = (first - _EARLIER).isoformat(timespec="seconds").replace("+00:00", "Z")
        seen: set[str] = set()
        for page in range(1, _PAGES + 1):
            query = {"start_date": start, "page": str(page), "page_size": str(_PAGE_SIZE)}
            answer = self._call("GET", "requests", params=query)
            if answer.status != 200:
                raise NoAnswerError(f"the list of requests: {answer.line()}")
            found = records(self._settings.format, answer.body)
            for one in found:
                if entry.reference in one.get("description", "") and "service_request_id" in one:
                    return one["service_request_id"]
            fresh = {one.get("service_request_id", "") for one in found} - seen
            if not fresh:  # the end, or an endpoint without pages
                return None
            seen |= fresh
        return None

    def _ask_token(self, entry: Entry) -> None:
        assert entry.token is not None
        if not outbox.take(self._database, entry, lease_s=self._lease_s, attempts=entry.attempts + 1):
            return
        wait_s = min(_LONGEST_WAIT_S, _TOKEN_WAIT_S * 2 ** min(20, max(0, entry.attempts - 4)))
        try:
            answer = self._call("GET", f"tokens/{_part(entry.token)}")
            found = records(self._settings.format, answer.body) if answer.status == 200 else []
        except (NotSentError, NoAnswerError, AnswerError) as error:
            outbox.settle(self._database, entry, after_s=wait_s, error=str(error))
            return
        request = next((one["service_request_id"] for one in found if "service_request_id" in one), None)
        if request is None:
            line = None if answer.status == 200 else answer.line()
            outbox.settle(self._database, entry, after_s=wait_s, error=line)
        else:
            self._settle(entry, self._settings.follow_every_s, "accepted", request=request, error=None)

    def _follow(self, entry: Entry) -> None:
        assert entry.request is not None
        if not outbox.take(self._database, entry, lease_s=self._lease_s):
            return
        every_s = float(self._settings.follow_every_s)
        try:
            answer = self._call("GET", f"requests/{_part(entry.request)}")
            found = records(self._settings.format, answer.body) if answer.status == 200 else []
        except (NotSentError, NoAnswerError, AnswerError) as error:
            outbox.settle(self._database, entry, after_s=every_s, error=str(error))
            return
        if not found or "status" not in found[0]:
            outbox.settle(self._database, entry, after_s=every_s, error=f"its status: {answer.line()}")
            return
        status, notes = found[0]["status"].lower()[:100], found[0].get("status_notes")
        if (status, notes) == (entry.status, entry.status_notes):
            outbox.settle(self._database, entry, after_s=every_s, error=None)
            return
        now_utc = self._database.now_utc()
        values = {"status": status, "status_notes": notes, "status_utc": now_utc, "error": None}
        outbox.settle(self._database, entry, after_s=every_s, action="handover status", **values)

    def _settle(self, entry: Entry, after_s: float, state: str, **values: str | int | None) -> None:
        """A step that people should see in the case's record, save that it waits on."""
        action = None if state == "waiting" else f"handover {state}"
        outbox.settle(self._database, entry, after_s=after_s, action=action, state=state, **values)

    def _call(
        self, method: str, path: str, *, data: dict[str, str] | None = None, params: dict[str, str] | None = None
    ) -> Answer:
        own = {"jurisdiction_id": self._settings.jurisdiction, "api_key": self._key if data is not None else None}
        given = {name: value for name, value in own.items() if value is not None}
        try:
            request = self._client.build_request(
                method,
                f"{self._url}/{path}.{self._settings.format}",
                data=None if data is None else {**data, **given},
                params={**(params or {}), **given} if data is None else None,
            )
        except httpx.InvalidURL as error:
            raise NotSentError(f"handover.open311.url: {error}") from None
        return call(self._client, request, timeout_s=self._settings.timeout_s)


def _back_off(attempts: int) -> float:
    return min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempts, 20))


def _part(text: str) -> str:
    """A part of a path: what the endpoint named must not lead elsewhere."""
    return quote(text, safe="")

"""Examine an endpoint: run the checks in order, and leave out those that cannot work any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from pydantic import ConfigDict, SecretStr, ValidationError

from monster_core.doctor.report import CheckResult, Finding
from monster_core.errors import ConfigurationError, MonsterError
from monster_core.model_arguments import BaseUrl
from monster_core.model_base import MonsterModelBase
from monster_core.models_endpoint import ServedModel
from monster_core.request.validation import describe
from monster_core.transport.attempt import MAX_ERROR_BODY_BYTES, Attempt, failures
from monster_core.transport.body import read_beginning
from monster_core.transport.client import MonsterClient
from monster_core.transport.endpoint import Endpoint
from monster_core.transport.http import Connections

__all__ = ["Check", "DoctorModel", "Examination", "RawResponse", "examine"]

_KEY_OF_NOBODY = "EMPTY"
"""What is sent where no key is set, so that the address can be examined all the same."""


class DoctorModel(MonsterModelBase):
    """A model of neither framework: it reads its settings as the models of both do."""

    model_config = ConfigDict(defer_build=False)

    base_url: BaseUrl = None
    http_async_client: None = None
    model_kwargs: None = None


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Hold the response of whatever answers at an address.

    Args:
        status_code: Its HTTP status.
        headers: Its headers.
        body: Its body, cut to 100,000 bytes.
        error: What the package makes of a status that is not 200.
    """

    status_code: int
    headers: httpx.Headers
    body: bytes
    error: MonsterError | None


@dataclass(slots=True)
class Examination:
    """Hold the endpoint that is examined, and what the checks so far have learned of it.

    Args:
        arguments: What the model is made with, beside the environment; a ``timeout`` limits
            every check as a whole.
        proxy: The proxy that requests go through.
        response: What answers ``GET {base}/models``.
        served: The models that it lists; empty if it cannot be read.
        model_name: The model that is asked.
        release: The server's name for the argument ``server``, if it tells its release.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    proxy: str | None = None
    response: RawResponse | None = None
    served: Sequence[ServedModel] = ()
    model_name: str = ""
    release: str | None = None
    _model: DoctorModel | None = None
    _endpoint: Endpoint | None = None

    @property
    def model(self) -> DoctorModel:
        """The model, with the settings of the command line and the environment.

        Raises:
            ConfigurationError: A setting cannot be used.
        """
        if self._model is None:
            problem = ""
            try:
                self._model = DoctorModel(**self.arguments)
            except ValidationError as error:
                problem = describe(error)
            if problem:  # raised out here, for the error above holds the values
                raise ConfigurationError(problem)
        assert self._model is not None
        return self._model

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint; a request is never sent twice, so that each failure is seen."""
        if self._endpoint is None:
            found = replace(self.model._endpoint(), max_retries=0)
            if found.api_key is None:
                found = replace(found, api_key=SecretStr(_KEY_OF_NOBODY))
            limit = self.arguments.get("timeout") or found.timeouts.read
            self._endpoint = found if limit is None else found.within(limit)
        return self._endpoint

    def mask(self, text: str) -> str:
        """Return a text with stars for the secrets that stand in it."""
        return text if self._endpoint is None else self._endpoint.mask(text)

    @property
    def url(self) -> httpx.URL:
        """The base URL."""
        return self.endpoint.url("")

    @property
    def port(self) -> int:
        """The endpoint's port."""
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    @property
    def connect_seconds(self) -> float:
        """How long opening a connection may take."""
        return self.endpoint.timeouts.connect or 10.0

    def client(self) -> MonsterClient:
        """Return a client of the endpoint; it shares its connections with the other checks."""
        return MonsterClient(self.endpoint)

    def get(self, base_url: str, path: str) -> RawResponse:
        """Ask for a path as the models do, and return whatever answers.

        Args:
            base_url: The base URL, or another one on the same server.
            path: What follows it.

        Raises:
            MonsterError: Nothing answered.
        """
        return self._ask(base_url, path, None)

    def post_nothing(self, path: str) -> RawResponse:
        """Send an empty object, which a server that has the path refuses, and generate nothing.

        Args:
            path: What follows the base URL.

        Raises:
            MonsterError: Nothing answered.
        """
        return self._ask(self.endpoint.base_url, path, b"{}")

    def _ask(self, base_url: str, path: str, content: bytes | None) -> RawResponse:
        endpoint = replace(self.endpoint, base_url=base_url)
        attempt = Attempt(endpoint, path)
        if content is not None:
            attempt.method, attempt.content = "POST", content
        with Connections(endpoint).use() as client:
            try:
                response = client.send(attempt.request(), stream=True, follow_redirects=False)
                beginning = read_beginning(response, MAX_ERROR_BODY_BYTES)
            except failures() as error:
                failure = attempt.failure(error)
            else:
                if beginning.problem is not None:
                    raise beginning.problem
                status, body = response.status_code, beginning.text
                refusal = None if status == 200 else attempt.refusal(response, body)
                return RawResponse(status, response.headers, body, refusal)
        raise failure


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one check.

    Args:
        name: Its name.
        run: What it does; a :class:`MonsterError` that it raises is its finding.
        needs: The checks without which it cannot work.
    """

    name: str
    run: Callable[[Examination], Finding]
    needs: tuple[str, ...] = ()


def examine(
    examination: Examination, checks: Sequence[Check], begins: Callable[[str], object]
) -> Iterator[CheckResult]:
    """Run checks in order and yield the result of each.

    Args:
        examination: What is examined.
        checks: The checks.
        begins: Called with the name of each check before it runs.
    """
    causes: dict[str, str] = {}  # by each check that did not succeed, the one that failed first
    for check in checks:
        cause = next((causes[name] for name in check.needs if name in causes), None)
        if cause is not None:
            causes[check.name] = cause
            yield CheckResult(check.name, "skipped", f"not tried, since {cause} failed", "", 0.0)
            continue
        begins(check.name)
        start = time.perf_counter()
        finding = _finding(check, examination)
        seconds = time.perf_counter() - start
        if finding.status == "failed":
            causes[check.name] = check.name
        detail, advice = map(examination.mask, (finding.detail, finding.advice))
        yield CheckResult(check.name, finding.status, detail, advice, seconds)


def _finding(check: Check, examination: Examination) -> Finding:
    try:
        return check.run(examination)
    except MonsterError as error:
        return Finding("failed", str(error))

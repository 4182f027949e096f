"""Arguments of a call beside its request fields, as the frameworks' OpenAI classes take them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from monster_core.errors import InvalidRequestError
from monster_core.model_arguments import DefaultHeaders, Timeout
from monster_core.request.fields import split_unknown_fields
from monster_core.request.validation import describe
from monster_core.secrets import with_masked_secrets

__all__ = ["CallOptions", "split_call_options"]


class CallOptions(BaseModel):
    """Hold how one call differs from others in what surrounds its request fields."""

    model_config = ConfigDict(hide_input_in_errors=True, arbitrary_types_allowed=True)

    timeout: Timeout = None
    """Seconds for each phase of the request, or an httpx.Timeout; the instance's if None."""

    extra_headers: DefaultHeaders = None
    """Headers for this request beside the instance's; secret."""

    extra_body: dict[str, Any] | None = None
    """Request fields that this package does not know; they are sent as they are."""

    @property
    def keeps_endpoint(self) -> bool:
        """Whether the call is sent with the timeout and the headers of every other."""
        return self.timeout is None and not self.extra_headers


def split_call_options(
    arguments: Mapping[str, Any], names: Collection[str]
) -> tuple[dict[str, Any], CallOptions]:
    """Return a call's request fields and its other options.

    Args:
        arguments: The call's arguments by name.
        names: The options that the framework takes.

    Returns:
        The request fields, those in ``extra_body`` that this package knows among them; and the
        options, whose ``extra_body`` holds those that it does not know.

    Raises:
        InvalidRequestError: An option is of the wrong type.
    """
    fields = dict(arguments)
    given = {name: fields.pop(name) for name in names if name in fields}
    try:
        options = CallOptions(**with_masked_secrets(given))
    except ValidationError as error:
        raise InvalidRequestError(describe(error)) from None
    known, options.extra_body = split_unknown_fields(options.extra_body or {})
    return {**fields, **known}, options

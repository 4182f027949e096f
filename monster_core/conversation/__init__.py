"""Decide how a conversation becomes messages that the server really shows the model."""

from monster_core.conversation.arguments import read_arguments
from monster_core.conversation.messages import Message, Role, to_wire

__all__ = ["Message", "Role", "read_arguments", "to_wire"]

"""Decide how a conversation becomes messages that the server really shows the model."""

from monster_core.conversation.arguments import read_arguments, write_json
from monster_core.conversation.messages import Content, Message, Role
from monster_core.conversation.rendering import render

__all__ = ["Content", "Message", "Role", "read_arguments", "render", "write_json"]

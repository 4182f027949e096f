"""Examine an endpoint step by step, and say of whatever fails what to do: ``monsterapi doctor``.

Nothing of it is imported by the model classes.
"""

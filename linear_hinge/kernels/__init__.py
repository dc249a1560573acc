"""Compiled code, behind one door, and what it needs to know of memory."""

"""The table of what a process of the pool can do; imported by the processes only, decoders and all."""

from storagemanager.content.inspector import inspect
from storagemanager.content.model import INSPECT
from storagemanager.renditions.draw import render
from storagemanager.renditions.model import RENDER
from storagemanager.sandbox.child import Handler

HANDLERS = {row.task.name: row for row in (Handler(INSPECT, inspect), Handler(RENDER, render))}

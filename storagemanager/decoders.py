"""What a process of the sandbox can do, and its entry; imported by the processes only, decoders and all."""

from storagemanager.content.inspector import inspect
from storagemanager.content.model import INSPECT
from storagemanager.renditions.draw import render
from storagemanager.renditions.model import RENDER
from storagemanager.sandbox.child import Handler, main

HANDLERS = {row.task.name: row for row in (Handler(INSPECT, inspect), Handler(RENDER, render))}
"""What decoders find in a file, and what a browser may be shown of it."""

if __name__ == "__main__":
    main(HANDLERS)

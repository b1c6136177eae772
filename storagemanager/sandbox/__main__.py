"""The entry of a process of the pool."""

from storagemanager.sandbox.child import main
from storagemanager.sandbox.tasks import HANDLERS

main(HANDLERS)

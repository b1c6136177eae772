"""Renditions: what a browser may be shown of a stored file, drawn anew in the sandbox and kept for a while."""

from storagemanager.renditions.model import Kind, Rendition, RenditionSettings
from storagemanager.renditions.renderer import Renderer

__all__ = ["Kind", "Renderer", "Rendition", "RenditionSettings"]

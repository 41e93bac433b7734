"""The action table as Textual bindings.

Owns the one place where a :class:`~yolotop.tui.deeds.deed.Deed` meets Textual. A
binding's id is the deed's, which is what a keymap names.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from yolotop.tui.keys import Deed, deeds_in


def binding_of(deed: Deed, *, priority: bool = True) -> Binding:
    """The Textual binding of a deed.

    ``priority`` ones act in the order of the keys, whatever has the focus. Others
    wait in the focused widget's queue: over a slow line ``/drill`` would open the
    filter and then remove (``d``) the selected deployment.
    """
    return Binding(
        deed.keys,
        deed.call,
        deed.label,
        id=deed.id,
        tooltip=deed.help,
        key_display=deed.show,
        show=deed.hint > 0,
        priority=priority,
    )


def bindings_in(*where: str, priority: bool = True) -> list[BindingType]:
    """The bindings of some contexts."""
    return [binding_of(deed, priority=priority) for deed in deeds_in(*where)]

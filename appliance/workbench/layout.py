"""Where the parts of the workbench stand: beside one another on wide screens, else one below the other."""

from __future__ import annotations

__all__ = ["LAYOUT"]

LAYOUT = """
WorkbenchScreen {
    layout: vertical;
    & #body { height: 1fr; layout: vertical; }
    &.-wide #body { layout: horizontal; }
    & #files { width: 32; height: 1fr; display: none; border-right: solid $surface-lighten-1; }
    & #editing { width: 1fr; height: 1fr; }
    &.-narrow #files { width: 100%; height: 9; border-right: none; }
    & #panel { width: 1fr; height: 1fr; background: $surface; }
    &.-wide #panel { border-left: solid $surface-lighten-1; }
    & Underline { display: none; }
    & Tabs { height: 1; background: $panel; }
    & Tab { height: 1; padding: 0 1; color: $foreground-muted; }
    & Tab.-active { text-style: bold reverse; color: $foreground; }
    & TabPane { padding: 0; }
    & TabbedContent > ContentSwitcher { height: 1fr; }
    & TabbedContent, & TabPane { height: 1fr; }
    & #nothing { height: 1fr; content-align: center middle; color: $text-muted; display: none; }
    &.-narrow #compile-details { max-height: 2; }
    &.-narrow #compile-details.-alone { max-height: 100%; }
    & #finding { height: 1; display: none; background: $boost; }
    & #panel .row Input, & #panel .row Select { background: $boost; }
    & #panel .row SelectCurrent { background: $boost; }
    & #finding Input { width: 1fr; }
    & #finding Label { width: auto; padding: 0 1; }
    & #status { height: 1; padding: 0 1; background: $panel; text-overflow: ellipsis; text-wrap: nowrap; }
}
"""

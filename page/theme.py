"""The look of Gradio's components on the page."""

from __future__ import annotations

import gradio as gr


def theme() -> gr.Theme:
    """Return a theme with plain labels and the system's fonts alone, so that the page needs no network."""
    plain = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", radius_size="lg",
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"],
    )  # fmt: skip
    label = {
        "text_color": "*neutral_600",
        "text_color_dark": "*neutral_300",
        "text_weight": "500",
        "text_size": "*text_sm",
    }
    both = {f"block_{part}_{name}": value for part in ("label", "title") for name, value in label.items()}
    clear = {
        f"block_{part}_background_fill{dark}": "none" for part in ("label", "title") for dark in ("", "_dark")
    }
    return plain.set(
        **both, **clear, block_label_shadow="none", block_label_border_width="0px",
        body_text_color_subdued="*neutral_500", body_background_fill="*neutral_50",
        block_background_fill="white", block_shadow="none",
        block_border_width="1px", block_border_color="*neutral_200", block_border_color_dark="*neutral_700",
        checkbox_border_color="*neutral_500", checkbox_border_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
    )  # fmt: skip

"""The chapters of the page, in reading order: one module each, with `build(results) -> Section | None`."""

SECTIONS = (
    "gradients",
    "campaign",
    "zoo",
    "step_sizes",
    "accuracy",
    "accuracy_details",
    "record",
    "speed",
    "speed_details",
    "numerical",
    "protocol",
    "lessons",
)

# What to say where `build` returned None: the chapter's title, and the command that fills it.
NOT_RUN = {
    "gradients": ("Same maths?", "backproof gradients"),
    "accuracy": ("Same accuracy?", "backproof accuracy"),
    "speed": ("How fast?", "backproof speed"),
    "numerical": ("Can a network learn by numerical differentiation alone?", "backproof numerical"),
    "lessons": ("Lessons", "backproof lessons --all"),
}

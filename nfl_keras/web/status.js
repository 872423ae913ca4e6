// Screen readers read aloud what changes here.
element.setAttribute("role", "status");
element.setAttribute("aria-live", "polite");

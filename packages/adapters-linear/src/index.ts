/** The tracker on Linear, and the tools that an agent uses to write to its issue. */
export {}

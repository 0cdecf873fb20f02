/** The runtime on the OpenHands agent-server, and the supervisor of a local one. */
export {}

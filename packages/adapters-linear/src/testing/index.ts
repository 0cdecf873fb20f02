/** The fake server, for tests and demonstrations. */
export {}

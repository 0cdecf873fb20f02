/** The version of the OpenHands agent-server that this program is written against, installs and starts. */

export const pinnedVersion = "1.57.0"

/** Released together under one number; mixed numbers do not work. */
export const pinnedPackages: ReadonlyArray<string> = [
  "openhands-agent-server",
  "openhands-sdk",
  "openhands-tools",
  "openhands-workspace"
]

/** What `python -m` starts. */
export const serverModule = "openhands.agent_server"

/**
 * How `python -m openhands.agent_server` is started. Every tool at work holds a thread of asyncio's default pool for as long
 * as its command runs, and messages, looks at conversations and model calls need that pool too. Python sizes it by the
 * processors (4 more, 32 at most), so on two of them the seventh agent waits until a command of another one ends, and
 * requests and liveness probes with it. Threads come on demand; server 1.57 has no setting for them.
 */
import { serverModule } from "./Pin.ts"

const maxThreads = 1_000

const program = `
import runpy
from concurrent.futures import ThreadPoolExecutor

start = ThreadPoolExecutor.__init__


def start_wide(self, max_workers=None, *args, **kwargs):
    start(self, max_workers or ${maxThreads}, *args, **kwargs)


ThreadPoolExecutor.__init__ = start_wide
runpy.run_module("${serverModule}", run_name="__main__", alter_sys=True)
`.trim()

/** The command, with more threads when it is the module's; any other is taken as it stands. */
export const withThreads = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.at(-2) === "-m" && words.at(-1) === serverModule ? [...words.slice(0, -2), "-c", program] : words

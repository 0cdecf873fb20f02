// What runs on this machine on behalf of one test: known by a directory of its own in command line, environment or cwd.
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"

export interface Process {
  readonly pid: number
  readonly command: string
}

/** Empty for a process that is gone, or not ours. */
function read(pid: number, what: string): string {
  try {
    return Fs.readFileSync(`/proc/${pid}/${what}`, "utf8")
  } catch {
    return ""
  }
}

function workingDirectory(pid: number): string {
  try {
    return Fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ""
  }
}

function fromProc(mark: string): ReadonlyArray<Process> {
  return Fs.readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .flatMap((pid) => {
      const command = read(pid, "cmdline").replaceAll("\0", " ").trim()
      const isMarked = [command, read(pid, "environ"), workingDirectory(pid)].some((text) => text.includes(mark))
      // A zombie has no command line; nobody can end it but its parent.
      return isMarked && command !== "" ? [{ pid, command }] : []
    })
}

function fromPs(mark: string): ReadonlyArray<Process> {
  return execFileSync("ps", ["-A", "-E", "-ww", "-o", "pid=,command="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(mark))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim() }))
}

/** Every living process that carries `mark`, but this one. */
export function processesWith(mark: string): ReadonlyArray<Process> {
  const all = process.platform === "linux" ? fromProc(mark) : fromPs(mark)
  return all.filter(({ pid }) => pid !== process.pid)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z /s.test(read(pid, "stat"))
  } catch {
    return false
  }
}

/** The most memory that a process ever held at once, in MB; NaN where the system does not tell. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(pid, "status"))?.[1]) / 1024
}

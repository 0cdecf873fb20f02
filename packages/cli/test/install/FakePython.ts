/** A `python3.12` that makes environments and installs packages as far as an installer can tell, for these tests. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** `FAKE_PIP` is what goes wrong: `fails`, `wrong` (other versions), `hangs`; `FAKE_VERSION` is its own version. */
const script = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  *opensymphony-python*) echo "opensymphony-python \${FAKE_VERSION:-3.12.4} $0" ;;
  *opensymphony-versions*)
    if [ ! -f "$here/packages" ]; then echo "ModuleNotFoundError: No module named 'openhands'" >&2; exit 1; fi
    cat "$here/packages" ;;
  "-m venv --clear "*)
    echo "venv $4" >> "$FAKE_LOG"
    mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  "-m pip install "*)
    echo "pip $*" >> "$FAKE_LOG"
    echo "Collecting openhands-sdk from https://\${FAKE_INDEX_USER:-nobody}@index.test"
    case "$FAKE_PIP" in
      fails) echo "ERROR: No matching distribution found for openhands-sdk" >&2; exit 1 ;;
      hangs) echo $$ > "$here/pip.pid"; exec sleep 300 ;;
      wrong) echo "opensymphony-versions 1.0.0 1.0.0 1.0.0 1.0.0" > "$here/packages" ;;
      *) sleep 0.2; echo "opensymphony-versions 1.57.0 1.57.0 1.57.0 1.57.0" > "$here/packages" ;;
    esac ;;
  *) echo "unexpected: $*" >&2; exit 2 ;;
esac
`

export interface Machine {
  /** Where installations go: `<data>/opensymphony/openhands/1.57.0`. */
  readonly data: string
  /** What the fake was asked to do, a line each. */
  readonly log: string
  readonly environment: { readonly [name: string]: string }
}

const programs = ["sh", "cat", "cp", "dirname", "mkdir", "sleep"]

/** A machine whose PATH holds the shell's usual programs and these, which all are the fake Python. */
export const make = (pythons: ReadonlyArray<string>, more: { readonly [name: string]: string } = {}): Machine => {
  const root = mkdtempSync(join(realpathSync(tmpdir()), "install-"))
  const bin = join(root, "bin")
  mkdirSync(bin)
  for (const program of programs) symlinkSync(join("/bin", program), join(bin, program))
  for (const python of pythons) {
    writeFileSync(join(bin, python), script)
    chmodSync(join(bin, python), 0o755)
  }
  const data = join(root, "data")
  const log = join(root, "log")
  writeFileSync(log, "")
  return { data, log, environment: { PATH: bin, HOME: root, XDG_DATA_HOME: data, FAKE_LOG: log, ...more } }
}

/** What people write for a project: its address, the last part of it, the id at the end of that, or its UUID. */

export interface ProjectReference {
  /** As it was written, for messages. */
  readonly text: string
  /** Finds it, unless the text means something to Linear only. */
  readonly filter:
    | { readonly id: { readonly eq: string } }
    | { readonly slugId: { readonly in: ReadonlyArray<string> } }
  /** What to hand to `project(id:)`, which takes ids and parts of addresses. */
  readonly key: string
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const slugIdAtEnd = /(?:^|-)([0-9a-f]{12})$/i

export const isUuid = (text: string): boolean => uuid.test(text)

/** The last part of a project's address; null for an address of something else. */
const slugInAddress = (text: string): string | null => {
  const segments = URL.parse(text)?.pathname.split("/").filter(Boolean) ?? []
  const at = segments.indexOf("project")
  return at === -1 ? null : (segments[at + 1] ?? null)
}

/** Null when the text is an address, but not of a project. */
export const parse = (text: string): ProjectReference | null => {
  const trimmed = text.trim()
  const key = /^https?:\/\//i.test(trimmed) ? slugInAddress(trimmed) : trimmed
  if (key === null || key === "") return null
  if (isUuid(key)) return { text: trimmed, key, filter: { id: { eq: key.toLowerCase() } } }
  const tail = slugIdAtEnd.exec(key)?.[1]?.toLowerCase()
  return { text: trimmed, key, filter: { slugId: { in: tail === undefined || tail === key ? [key] : [tail, key] } } }
}

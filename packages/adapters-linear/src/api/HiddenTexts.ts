/** Finds in the variables of a request what people wrote, so that no message repeats it. */

const maxTexts = 100

/** Ids, names of states and cursors are short and without blanks: those may be named. */
const isProse = (text: string): boolean => /\s/.test(text.trim()) || text.length > 100

/** The texts in these variables that must not appear in messages or logs; at most a hundred of them. */
export const hiddenTexts = (variables: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const texts: Array<string> = []
  const visit = (value: unknown): void => {
    if (texts.length >= maxTexts) return
    if (typeof value === "string" && isProse(value)) texts.push(value)
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit)
  }
  visit(variables)
  return texts
}

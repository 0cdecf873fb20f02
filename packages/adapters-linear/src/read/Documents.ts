/**
 * The queries that the tracker sends. By the documented rule (scalar 0.1, object 1, a connection its children times
 * `first`) each stays below Linear's 10,000 points; `docs/linear.md` has what they cost.
 */

/** Issues on a page. */
export const pageSize = 50
/** Labels, blockers and sub-issues that come with an issue; one that has as many may have more. */
export const nestedSize = 20
/** Issues whose lists are read to the end with one request, and the length of a page of each list. */
export const listBatchSize = 8
export const listPageSize = 100

const reference = "id identifier state { name type }"

const issueFields = `fragment IssueFields on Issue {
  id
  identifier
  title
  description
  priority
  url
  branchName
  createdAt
  updatedAt
  archivedAt
  trashed
  state { name type }
  team { key }
  project { id name }
  assignee { id displayName }
  parent { id }
  labels(first: ${nestedSize}) { nodes { name } }
  inverseRelations(first: ${nestedSize}) { nodes { type issue { ${reference} archivedAt } } }
  children(first: ${nestedSize}) { nodes { ${reference} } }
}`

/** Issues by a filter, newest first. */
export const issuesDocument = `query Issues($filter: IssueFilter!, $first: Int!, $after: String) {
  issues(filter: $filter, first: $first, after: $after) {
    nodes { ...IssueFields }
    pageInfo { hasNextPage endCursor }
  }
}
${issueFields}`

/** Issues by id in any state and project, archived and deleted ones too; those that are not visible are absent. */
export const issuesByIdsDocument = `query IssuesByIds($ids: [ID!]!, $first: Int!) {
  issues(filter: { id: { in: $ids } }, first: $first, includeArchived: true) {
    nodes { ...IssueFields }
    pageInfo { hasNextPage endCursor }
  }
}
${issueFields}`

/** Who an issue is, by its id or by any identifier that it has or had. */
export const issueIdDocument = `query IssueId($name: String!) {
  issue(id: $name) { id }
}`

/** The lists of issues that have more than came with them. */
export const issueListsDocument = `query IssueLists(
  $ids: [ID!]!
  $first: Int!
  $size: Int!
  $labelsAfter: String
  $blockersAfter: String
  $childrenAfter: String
) {
  issues(filter: { id: { in: $ids } }, first: $first, includeArchived: true) {
    nodes {
      id
      labels(first: $size, after: $labelsAfter) {
        nodes { name }
        pageInfo { hasNextPage endCursor }
      }
      inverseRelations(first: $size, after: $blockersAfter) {
        nodes { type issue { ${reference} archivedAt } }
        pageInfo { hasNextPage endCursor }
      }
      children(first: $size, after: $childrenAfter) {
        nodes { ${reference} }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`

const projectFields = `fragment ProjectFields on Project {
  id
  name
  slugId
  url
  archivedAt
  trashed
  teams(first: 100) {
    nodes { id key name }
    pageInfo { hasNextPage }
  }
}`

/** Whose key it is, and the project by its id or the end of its address. */
export const projectProbeDocument = `query ProjectProbe($filter: ProjectFilter!) {
  viewer { id name }
  projects(filter: $filter, first: 2, includeArchived: true) {
    nodes { ...ProjectFields }
  }
}
${projectFields}`

/** The project by whatever else Linear takes for its name. */
export const projectDocument = `query ProjectByName($id: String!) {
  project(id: $id) { ...ProjectFields }
}
${projectFields}`

/** Some projects that the key can see, for a message. */
export const projectListDocument = `query ProjectList {
  projects(first: 50) {
    nodes { name slugId }
  }
}`

export const statesDocument = `query States($teams: [ID!]!, $after: String) {
  workflowStates(filter: { team: { id: { in: $teams } } }, first: 250, after: $after) {
    nodes { id name type position team { id } }
    pageInfo { hasNextPage endCursor }
  }
}`

export const usersDocument = `query Users($filter: UserFilter!) {
  users(filter: $filter, first: 2) {
    nodes { id name displayName }
  }
}`

/** Those labels of the workspace that a filter finds. */
export const labelsDocument = `query Labels($filter: IssueLabelFilter!) {
  issueLabels(filter: $filter, first: 250) { nodes { name } }
}`

/** All of them, to be checked against Linear's schema. */
export const documents: ReadonlyArray<string> = [
  issuesDocument,
  issuesByIdsDocument,
  issueIdDocument,
  issueListsDocument,
  projectProbeDocument,
  projectDocument,
  projectListDocument,
  statesDocument,
  usersDocument,
  labelsDocument
]

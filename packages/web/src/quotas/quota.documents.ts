import { graphql } from '../generated/gql.js'

export const limitsQuery = graphql(`
  query Limits {
    limits {
      projectId
      items { resource limit inUse isOverride }
    }
  }
`)

export const projectHoursQuery = graphql(`
  query ProjectHours($projectId: ID!) {
    projectUsage(projectId: $projectId) { start end totalHours totalVcpuHours totalRamMbHours totalDiskGbHours }
  }
`)

export const quotaProjectsQuery = graphql(`
  query QuotaProjects($first: Int, $after: String, $filter: ProjectFilter, $orderBy: [ResourceOrder!]) {
    projects(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { endCursor }
      nodes { id name description enabled }
    }
  }
`)

export const projectQuotaQuery = graphql(`
  query ProjectQuota($projectId: ID!) {
    quotaSet(projectId: $projectId) {
      projectId
      generation
      project { id name }
      items { resource limit inUse isOverride }
    }
    quotaDefaults { items { resource limit } }
  }
`)

export const defaultQuotaQuery = graphql(`
  query DefaultQuota {
    quotaClassSet { generation items { resource limit inUse isOverride } }
  }
`)

export const updateQuotaMutation = graphql(`
  mutation UpdateQuota($input: UpdateQuotaSetInput!) {
    updateQuotaSet(input: $input) { quotaSet { generation } }
  }
`)

export const resetQuotaMutation = graphql(`
  mutation ResetQuota($input: DeleteQuotaSetInput!) {
    deleteQuotaSet(input: $input) { quotaSet { generation } }
  }
`)

export const updateDefaultQuotaMutation = graphql(`
  mutation UpdateDefaultQuota($input: UpdateQuotaClassSetInput!) {
    updateQuotaClassSet(input: $input) { quotaClassSet { generation } }
  }
`)

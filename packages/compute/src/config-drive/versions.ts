/** The versions of the config drive's two trees and what each adds (C table T8, C-MDS-7, C-CFD-5). Dates sort as text. */
export const openstackVersions = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
  'latest',
] as const

/** The older ones are skipped, as Nova does by default. */
export const ec2Versions = ['2009-04-04', 'latest'] as const

const firstWith = {
  randomSeed: '2013-04-04',
  vendorData: '2013-10-17',
  projectId: '2015-10-15',
  networkData: '2015-10-15',
  devices: '2016-06-30',
  vendorData2: '2016-10-06',
  dedicatedCpus: '2020-10-14',
} as const

/** True when a version of the OpenStack tree has a thing; `latest` has everything. */
export const has = (version: string, thing: keyof typeof firstWith): boolean => version === 'latest' || version >= firstWith[thing]

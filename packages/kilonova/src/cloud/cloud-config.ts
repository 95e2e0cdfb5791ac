/** Every option of the cloud, from the packages that declare them. */
import { apiOptions } from '@kilonova/api/config'
import { computeOptions } from '@kilonova/compute/config'
import { type ConfigOf, readConfigFile } from '@kilonova/runtime/config'
import { observabilityOptions } from '@kilonova/runtime/observability/options'

export const cloudOptions = { ...apiOptions, ...computeOptions, ...observabilityOptions }
export type CloudConfig = ConfigOf<typeof cloudOptions>

export const readCloudConfig = (file: string): CloudConfig => readConfigFile(file, cloudOptions)

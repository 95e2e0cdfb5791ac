/** Every option of the cloud, from the packages that declare them. */
import { apiOptions } from '@kilonova/api/config'
import { computeOptions } from '@kilonova/compute/config'
import { type ConfigOf, readConfigFile } from '@kilonova/runtime/config'

export const cloudOptions = { ...apiOptions, ...computeOptions }
export type CloudConfig = ConfigOf<typeof cloudOptions>

export const readCloudConfig = (file: string): CloudConfig => readConfigFile(file, cloudOptions)

/** What `mesos config` shows of its plan. */
import {redactText} from '../redact.js'
import type {HostFiles} from '../mesos/agent/files.js'
import {HOOK, ISOLATOR} from '../mesos/agent/names.js'
import type {AgentPlan, FileEdit} from '../mesos/agent/plan.js'
import {NEW_FILE, NEW_SECRET_FILE} from '../mesos/agent/write.js'
import {textDiff} from '../cli/output/diff.js'

/** EDIT as a unified diff, without secrets. Where they are all that changes, that is said instead. */
export async function editDiff({path, before, after}: FileEdit): Promise<string> {
  const [old, next] = [before === undefined ? undefined : redactText(before), redactText(after)]
  return old === next ? `${path}: a secret changes; it is not shown\n` : textDiff(path, old, next)
}

/** FILES as they will be with EDITS. */
export const withEdits = (files: HostFiles, edits: readonly FileEdit[]): HostFiles => ({
  ...files,
  read(path) {
    const edit = edits.find((each) => each.path === path)
    const now = files.read(path)
    if (!edit) return now
    return {state: 'file', text: edit.after, mode: now.state === 'file' ? now.mode : edit.secret ? NEW_SECRET_FILE : NEW_FILE}
  },
  kind(path) {
    return edits.some((each) => each.path === path) ? {type: 'file', executable: false, target: path} : files.kind(path)
  },
  list(path) {
    const added = edits.flatMap((each) => (each.path.startsWith(`${path}/`) && !each.path.slice(path.length + 1).includes('/') ? [each.path.slice(path.length + 1)] : []))
    return [...new Set([...files.list(path), ...added])].sort()
  },
})

/** The flags of an agent that is started by hand. */
export const flagLine = ({modules}: AgentPlan): string => `--modules=file://${modules} --isolation=${ISOLATOR} --hooks=${HOOK}`

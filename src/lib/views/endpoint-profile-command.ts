import {editEndpointProfiles, type ProfileAction, profileListProblems} from '../client/endpoint-profiles.js'
import type {Endpoint} from '../client/endpoints.js'
import {EditCommand} from '../cli/edit-command.js'
import {profilesEditedNotes, profilesEditedText} from './endpoints.js'

/** A command that changes which profiles an endpoint has. */
export abstract class EndpointProfileCommand extends EditCommand {
  /** Notes what is wrong with the profiles on the line. */
  protected checkProfiles(action: ProfileAction, names: readonly string[]): void {
    for (const problem of profileListProblems(action, names)) this.problem(problem)
  }

  protected async editProfiles(endpoint: Endpoint, action: ProfileAction, names: readonly string[], options: {ifExists?: boolean} = {}): Promise<void> {
    const edited = await editEndpointProfiles(await this.session(), endpoint, action, names, options)
    await this.report([{...edited.change, name: endpoint.id}], {done: profilesEditedText(action, names, edited)})
    for (const note of profilesEditedNotes(action, edited)) this.note(note)
  }
}

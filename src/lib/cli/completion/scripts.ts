/**
 * The scripts that teach a shell to complete our command lines. Each asks `calicoctl __complete` for one candidate per line and takes them as
 * they are: no word expansion, no evaluation (decisions.md 7). Where `%files` is among them (FILES in candidates.ts), the shell completes the names of files as
 * it does for any program; bash, which can do only one of both, only where no other candidate fits.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

const BASH = `# calicoctl completion for bash. Load it with:  source <(calicoctl completion bash)
_calicoctl() {
  local line=\${COMP_LINE:0:COMP_POINT} current= prefix= files= head break IFS=$' \\t\\n'
  local -a words=() candidates=()
  read -r -a words <<< "$line"
  if [[ $line == *[^[:space:]] ]]; then
    current=\${words[\${#words[@]}-1]}
    unset "words[\${#words[@]}-1]"
  fi
  mapfile -t candidates < <(calicoctl __complete -- "$current" "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  for head in "\${candidates[@]}"; do
    if [[ $head == %files ]]; then files=1; else COMPREPLY+=("$head"); fi
  done
  [[ $files && \${#COMPREPLY[@]} == 0 ]] && compopt -o default
  # readline replaces only what follows the last : or = of the word
  for break in : =; do
    [[ $COMP_WORDBREAKS == *"$break"* && $current == *"$break"* ]] || continue
    head=\${current%"\${current##*"$break"}"}
    (( \${#head} > \${#prefix} )) && prefix=$head
  done
  COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
}
complete -F _calicoctl calicoctl
`

const ZSH = `#compdef calicoctl
# calicoctl completion for zsh. Load it with:  source <(calicoctl completion zsh)
_calicoctl() {
  local -a candidates
  candidates=("\${(@f)$(calicoctl __complete -- "\${(Q)words[CURRENT]}" "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}")
  local -i files=\${candidates[(Ie)%files]}
  (( files )) && candidates[files]=()
  (( \${#candidates[1]} )) && compadd -- "\${candidates[@]}"
  if (( files )); then
    compset -P '--*='
    _files
  fi
}
# Found in a folder of fpath, this file is the function itself.
if [[ $funcstack[1] == _calicoctl ]]; then _calicoctl "$@"; else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
  compdef _calicoctl calicoctl
fi
`

const FISH = `# calicoctl completion for fish. Load it with:  calicoctl completion fish | source
function __calicoctl_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for candidate in (calicoctl __complete -- "$current" $words 2>/dev/null)
        if test "$candidate" = '%files'
            set -l option (string match -r '^--[^=]*=' -- "$current")
            printf '%s\\n' "$option"(__fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current"))
        else
            printf '%s\\n' $candidate
        end
    end
end
complete -c calicoctl -f -a '(__calicoctl_complete)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = {bash: BASH, zsh: ZSH, fish: FISH}

/** The completion script for SHELL. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]
}

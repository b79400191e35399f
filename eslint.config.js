import tseslint from 'typescript-eslint'

/**
 * The layers of the source, top first. A layer may import from itself and from those below it, never upwards (design.md §2).
 * Layers in one row do not know each other unless `also` says so.
 */
const LAYERS = [
  ['commands', 'hooks'],
  ['views'],
  ['cli'],
  ['resource-files', 'import-v1'],
  ['diagnostics', 'system-check'],
  ['calico-node', 'node-status'],
  ['libnetwork', 'mesos'],
  ['batch', 'journal'],
  ['workload'],
  ['backup', 'lint'],
  ['grants'],
  ['client', 'ipam', 'host', 'docker', 'bird'],
  ['datastore', 'settings'],
  ['files'],
  ['documents'],
  ['policy'],
  ['rules'],
  ['model'],
  ['net'],
  ['json'],
  ['errors'],
]
const PURE = ['documents', 'model', 'rules', 'policy', 'net', 'json']

const folder = (name) => (name === 'errors' ? 'src/lib/errors.ts' : name === 'commands' || name === 'hooks' ? `src/${name}/**` : `src/lib/${name}/**`)
const pattern = (name) => (name === 'errors' ? '**/lib/errors.js' : name === 'commands' || name === 'hooks' ? `**/${name}/**` : `**/${name}/**`)

const layerRules = LAYERS.flatMap((row, depth) =>
  row.map((name) => ({
    files: [folder(name)],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...LAYERS.slice(0, depth)
              .flat()
              .map((upper) => ({regex: `(^|/)${upper}/`, message: `${name} may not import from ${upper}: imports go down only (CONTRIBUTING.md)`})),
            ...(PURE.includes(name) ? [{regex: '^(node:(?!util|buffer|crypto)|etcd3|execa|dockerode)', message: `${name} is pure: no I/O`}] : []),
            ...(name === 'datastore' ? [] : [{regex: '^(etcd3|cockatiel)$', message: 'only src/lib/datastore/etcd imports etcd3'}]),
            ...(name === 'host' ? [] : [{regex: '^execa$', message: 'only src/lib/host runs programs'}]),
            ...(name === 'docker' ? [] : [{regex: '^dockerode', message: 'only src/lib/docker talks to the Docker Engine'}]),
            ...(name === 'commands' ? [{regex: '^node:(fs|net|child_process|http)', message: 'commands are thin: parse, call src/lib, present'}] : []),
          ],
        },
      ],
    },
  })),
)

export default tseslint.config(
  {ignores: ['dist/**', 'node_modules/**', 'coverage/**', 'test/fixtures/**', '.cache/**', 'out/**']},
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {parserOptions: {projectService: true, tsconfigRootDir: import.meta.dirname}},
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
      '@typescript-eslint/consistent-type-definitions': 'off',
      // It takes time, and there is no enum that it could be about: src may not have any (below).
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', {ignoreArrowShorthand: true}],
      '@typescript-eslint/no-unused-vars': ['error', {argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true}],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.property.name=/^(push|unshift)$/] > SpreadElement',
          message: 'A spread of many items overflows the stack: append() of src/lib/append.ts',
        },
        {selector: 'TSEnumDeclaration', message: 'A union of literals, or an object `as const`: no-unsafe-enum-assignment is off'},
      ],
    },
  },
  ...layerRules,
)

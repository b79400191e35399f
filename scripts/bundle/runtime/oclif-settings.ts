/** Told to oclif before it loads: not to look for its engine's version and a theme in files that this package does not have (10 ms). */
process.env.OCLIF_DISABLE_ENGINE_WARNING = '1'
process.env.CALICOCTL_DISABLE_THEME = '1'

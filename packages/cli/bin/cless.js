#!/usr/bin/env -S node --
// Here, and not built, so that npm links it also before the first build. After `--` nothing is Node's: it would take our
// `--env-file` for its own.
import '../dist/main.js';

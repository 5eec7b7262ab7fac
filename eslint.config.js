/* What ESLint checks: its recommended rules, in modules that run in browsers or in Node. */
import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { rules: { eqeqeq: ["error", "always", { null: "ignore" }], "no-var": "error", "prefer-const": "error" } },
  { files: ["static/js/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["static/js/shared/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/js/**", "eslint.config.js"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];

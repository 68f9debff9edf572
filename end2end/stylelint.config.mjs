/** What prettier minds may differ on is off; what is a mistake is on. */
export default {
  extends: ["stylelint-config-standard"],
  rules: {
    "declaration-block-single-line-max-declarations": null,
    "declaration-empty-line-before": null,
    "rule-empty-line-before": null,
    "at-rule-empty-line-before": null,
    "comment-empty-line-before": null,
    "custom-property-empty-line-before": null,
    "no-descending-specificity": null,
    "import-notation": "string",
    "lightness-notation": "percentage",
    "alpha-value-notation": "number",
    "color-named": null,
    "property-no-vendor-prefix": [true, { ignoreProperties: ["-webkit-text-size-adjust"] }],
    "declaration-no-important": null,
    "unit-disallowed-list": [["vw", "vh"], { message: "Use logical units (vi, dvb): they follow the writing direction and the bars of phones" }],
    "property-disallowed-list": [
      ["/^(margin|padding|border)-(left|right|top|bottom)/", "left", "right", "top", "bottom", "width", "height", "min-width", "max-width", "min-height", "max-height"],
      { message: "Use the logical property: the portal will be read from right to left, too" },
    ],
    "color-no-hex": true,
    "hue-degree-notation": "number",
    "value-keyword-case": ["lower", { ignoreProperties: ["--font", "font-family"] }],
  },
};

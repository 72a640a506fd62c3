import { type CSSVariablesResolver, createTheme, DEFAULT_THEME, type MantineColorsTuple } from "@mantine/core";

// The two darkest shades carry white text, and are read on the palest of their colour: each pair has a contrast of 4.5.
const deep = (color: string, shade8: string, shade9: string): MantineColorsTuple => {
  const [a, b, c, d, e, f, g, h] = DEFAULT_THEME.colors[color] as MantineColorsTuple;
  return [a, b, c, d, e, f, g, h, shade8, shade9];
};

// Calm and dense: small controls, one accent, the system's own type face.
export const theme = createTheme({
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 8 },
  colors: {
    cyan: deep("cyan", "#0b7d90", "#0b7285"),
    teal: deep("teal", "#07825c", "#077354"),
    red: deep("red", "#e03131", "#b02525"),
    orange: deep("orange", "#c84a07", "#b53d06"),
    yellow: deep("yellow", "#a86200", "#8f5300"),
  },
  defaultRadius: "sm",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "1.35rem" }, h2: { fontSize: "1.1rem" }, h3: { fontSize: "1rem" } } },
  components: {
    Button: { defaultProps: { size: "xs" } },
    TextInput: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs" } },
    NativeSelect: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    TagsInput: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "xs" } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: "sm", fz: "sm" } },
    // The browser's own bar takes no room below a table that fits.
    TableScrollContainer: { defaultProps: { type: "native" } },
    Badge: { defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 500 }, styles: { root: { minWidth: "max-content" }, label: { overflow: "visible" } } },
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
  },
});

// What says less is paler, yet to be read on every ground.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "#5f666d" },
  dark: { "--mantine-color-dimmed": "#a8a8a8" },
});

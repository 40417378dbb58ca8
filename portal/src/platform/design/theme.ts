// Mantine as the portal uses it. Colours are in tokens.css; whatever would write a <style> into the page is off.
import { createTheme, Drawer, Modal } from "@mantine/core";

export const mantineTheme = createTheme({
  fontFamily: '"Noto Sans Devanagari", system-ui, sans-serif',
  fontFamilyMonospace: "ui-monospace, monospace",
  primaryColor: "blue",
  defaultRadius: 4,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ defaultProps: { lockScroll: false, centered: true } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    // Their <header> would be a second banner of the page.
    ModalHeader: { defaultProps: { role: "presentation" } },
    DrawerHeader: { defaultProps: { role: "presentation" } },
  },
});

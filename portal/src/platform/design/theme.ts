// Mantine theme. Colours are in tokens.css; features that inject a <style> are off (content security policy).
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
    // Mantine's <header> would be a second banner landmark on the page.
    ModalHeader: { defaultProps: { role: "presentation" } },
    DrawerHeader: { defaultProps: { role: "presentation" } },
  },
});

// Texts of the trend mark, which is EdgeCare's own and not NEWS2.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const trendMark = defineMessages({
  en: {
    "trend_mark.name": "EdgeCare trend, not NEWS2",
    "trend_mark.short_up": "↗ trend",
    "trend_mark.short_unknown": "trend ?",
    "trend_mark.up": "Trend up (EdgeCare trend, not NEWS2)",
    "trend_mark.old": "Trend not current, last set {time} (EdgeCare trend, not NEWS2)",
    "trend_mark.unknown": "Trend unknown (EdgeCare trend, not NEWS2)",
    "trend_mark.state.up": "up since {time}",
    "trend_mark.state.none": "no mark",
    "trend_mark.state.old": "not current: last set {time}, overdue",
    "trend_mark.state.few": "not known yet: sets of 12 hours are needed",
    "trend_mark.state.not_live": "unknown: values are not live",
    "trend_mark.smoothed": "scores smoothed over time {score}, last set {time}",
    "trend_mark.fever": "38.0 °C or more at {time}",
  },
  hi: {
    "trend_mark.name": "EdgeCare का रुझान, NEWS2 नहीं",
    "trend_mark.short_up": "↗ रुझान",
    "trend_mark.short_unknown": "रुझान ?",
    "trend_mark.up": "रुझान ऊपर (EdgeCare का रुझान, NEWS2 नहीं)",
    "trend_mark.old": "रुझान ताज़ा नहीं, आख़िरी जाँच {time} (EdgeCare का रुझान, NEWS2 नहीं)",
    "trend_mark.unknown": "रुझान पता नहीं (EdgeCare का रुझान, NEWS2 नहीं)",
    "trend_mark.state.up": "{time} से ऊपर",
    "trend_mark.state.none": "कोई निशान नहीं",
    "trend_mark.state.old": "ताज़ा नहीं: आख़िरी जाँच {time}, नया माप बाकी है",
    "trend_mark.state.few": "अभी पता नहीं: 12 घंटे की जाँचें चाहिए",
    "trend_mark.state.not_live": "पता नहीं: आँकड़े लाइव नहीं हैं",
    "trend_mark.smoothed": "समय के साथ औसत स्कोर {score}, आख़िरी जाँच {time}",
    "trend_mark.fever": "{time} पर 38.0 °C या अधिक",
  },
});

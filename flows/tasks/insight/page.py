def stability_page(r): return ""

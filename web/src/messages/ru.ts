// Russian: not translated yet; what is missing stands in English.
export default {};
